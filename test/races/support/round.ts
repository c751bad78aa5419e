import type { SendOptions } from "@pollux/core";
import { randomFrom } from "../../faults/support/random.ts";

/** How a question is answered. */
export type Verdict = "approve" | "deny" | "edit" | "withdraw";

/** An act of an actor. */
export type Act =
  | {
      readonly do: "send";
      readonly text: string;
      readonly whileRunning: NonNullable<SendOptions["whileRunning"]>;
      readonly unfinished: NonNullable<SendOptions["unfinished"]>;
      /** The reader leaves after this time, in milliseconds. */
      readonly leavesAfterMs?: number | undefined;
    }
  | {
      readonly do: "continue";
      /** Absent: it only continues. */
      readonly message?: { readonly text: string; readonly runId: string } | undefined;
      readonly whileRunning: NonNullable<SendOptions["whileRunning"]>;
    }
  | { readonly do: "steer"; readonly text: string; readonly id?: string | undefined }
  | {
      readonly do: "answer";
      readonly verdict: Verdict;
      readonly via: "answer" | "resume" | "continue";
      /** `seen`: any question seen before. */
      readonly which: "open" | "seen";
      /** Gives the opposite answer at the same moment, through the same object or another one. */
      readonly opposite?: "same object" | "other object" | undefined;
      /** Selects one of them, from 0 to 1. */
      readonly pick: number;
    }
  | {
      readonly do: "rewind" | "regenerate";
      /** Selects a message, from 0 to 1; above a half, the last one. */
      readonly pick: number;
    }
  | { readonly do: "resume" | "stop" | "look" | "fork" }
  /** The actor's process dies, and another one takes its place. */
  | { readonly do: "kill"; readonly known: boolean }
  | { readonly do: "pause"; readonly forMs: number }
  /** The wall clock of this process jumps. */
  | { readonly do: "jump"; readonly hours: number };

/** One step of a round. */
export interface Step {
  /** The seed of everything random in the step. Stays the same without earlier steps. */
  readonly number: number;
  readonly actor: number;
  /** Milliseconds after the start of the previous step, which may still be in progress. */
  readonly afterMs: number;
  readonly act: Act;
}

/** The place of an actor: actors with the same process and object share a session object. */
export interface Actor {
  readonly process: number;
  readonly object: number;
}

/** A round: two or three actors act on one session. */
export interface Round {
  readonly seed: number;
  readonly actors: readonly Actor[];
  readonly leaseMs: number;
  readonly steps: readonly Step[];
  /** All processes die after the last step instead of finishing. */
  readonly endsInKill: boolean;
}

const CASTS: readonly (readonly Actor[])[] = [
  [at(0, 0), at(0, 0)],
  [at(0, 0), at(0, 0), at(0, 0)],
  [at(0, 0), at(0, 1)],
  [at(0, 0), at(0, 1), at(0, 2)],
  [at(0, 0), at(1, 0)],
  [at(0, 0), at(0, 0), at(1, 0)],
  [at(0, 0), at(1, 0), at(2, 0)],
];

function at(process: number, object: number): Actor {
  return { process, object };
}

/** Plans of messages: the parallel calls of each turn. */
const PLANS = [
  "look refund",
  "look refund / credit",
  "refund",
  "pay refund",
  "look refund refund",
  "ship",
  "look ship / refund",
  "credit save / pay",
  "order / pay",
  "",
] as const;

/** The round of a seed. @param processes - Whether its processes are real ones. */
export function planRound(seed: number, processes: boolean): Round {
  const random = randomFrom(seed * 7919 + (processes ? 1 : 0));
  const pick = <Item>(items: readonly Item[]): Item => {
    const found = items[Math.floor(random() * items.length)];
    if (found === undefined) throw new RangeError("nothing to choose from");
    return found;
  };
  const actors = pick(processes ? CASTS.slice(4) : CASTS);
  const leaseMs = pick(processes ? [100, 200, 300] : [100, 1000, 15_000]);
  const count = 4 + Math.floor(random() * 8);
  const text = (number: number): string => `Task m${number}: ${pick(PLANS)}.`;
  const act = (number: number): Act => {
    const whileRunning = pick(["refuse", "steer", "wait", "replace"] as const);
    const chance = random();
    if (chance < 0.14) {
      const unfinished = pick(["close", "close", "refuse", "steer"] as const);
      const leaves = random() < 0.15 ? { leavesAfterMs: Math.floor(random() * 60) } : {};
      return { do: "send", text: text(number), whileRunning, unfinished, ...leaves };
    }
    if (chance < 0.26) {
      // The same id means the same message.
      const runId = `r${Math.floor(random() * 2)}`;
      const plan = PLANS[(seed + Number(runId.slice(1))) % PLANS.length] ?? "";
      const message = random() < 0.7 ? { runId, text: `Task ${runId}: ${plan}.` } : undefined;
      return { do: "continue", message, whileRunning };
    }
    if (chance < 0.34) {
      const id = random() < 0.5 ? `s${Math.floor(random() * 2)}` : undefined;
      return { do: "steer", text: `Also ${id ?? `n${number}`}.`, id };
    }
    if (chance < 0.7) {
      return {
        do: "answer",
        verdict: pick(["approve", "approve", "approve", "deny", "deny", "edit", "edit", "withdraw"] as const),
        via: pick(["answer", "answer", "resume", "continue"] as const),
        which: random() < 0.6 ? "open" : "seen",
        ...(random() < 0.35 && { opposite: pick(["same object", "other object"] as const) }),
        pick: random(),
      };
    }
    if (chance < 0.76) return { do: pick(["rewind", "regenerate"] as const), pick: random() };
    if (chance < 0.8) return { do: "stop" };
    if (chance < 0.85) return { do: pick(["resume", "look"] as const) };
    if (chance < 0.87) return { do: "fork" };
    if (chance < 0.93) return { do: "kill", known: random() < 0.5 };
    if (chance < 0.97 || processes) return { do: "pause", forMs: Math.round(leaseMs * (1 + random() * 2)) };
    return { do: "jump", hours: pick([-12, 5]) };
  };
  const steps = Array.from({ length: count }, (_, number): Step => ({
    number,
    actor: Math.floor(random() * actors.length),
    afterMs: number === 0 ? 0 : Math.floor(random() ** 2 * 90),
    act:
      number === 0
        ? { do: "send", text: `Task m0: ${pick(PLANS.slice(0, 8))}.`, whileRunning: "refuse", unfinished: "close" }
        : act(number),
  }));
  return { seed, actors, leaseMs, steps, endsInKill: random() < 0.25 };
}

/** Describes a round for people. */
export function describeRound({ actors, leaseMs, steps, endsInKill }: Round): string {
  const lines = steps.map(({ number, actor, afterMs, act: { do: name, ...how } }) => {
    const { process, object } = actors[actor] ?? {};
    const details = Object.keys(how).length === 0 ? "" : ` ${JSON.stringify(how)}`;
    return `  #${number} +${afterMs} ms, process ${process}, object ${object}: ${name}${details}`;
  });
  const end = endsInKill ? "then all processes are killed" : "then all of it ends by itself";
  return [`lease of ${leaseMs} ms`, ...lines, `  ${end}`].join("\n");
}
