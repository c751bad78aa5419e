import type { Content, PendingCall, ToolOutcome } from "@pollux/core";
import { type KeptExchange, KeptExchanges } from "@pollux/core/exchanges";
import {
  type RecordedCall,
  recordedCalls,
  type Recording,
  RecordedOutcomes,
  type RehearsedCall,
  type Rehearsal,
} from "@pollux/core/rehearsal";
import type { SessionCase } from "../cases/eval-case.ts";
import { fieldsOf } from "../cases/session-case.ts";
import type { EvalSuite } from "../cases/eval-suite.ts";
import { shorten } from "../scorers/scorer.ts";
import type { TrialJob } from "../trials/plan-trials.ts";

/** The surroundings of the agent in one trial, and what they have seen. */
export interface TrialWorld {
  readonly rehearsal: Rehearsal;
  /** The recorded time where there is one: it stands still, so that the requests are the same in each trial. */
  readonly now: () => number;
  /** Aborts when the trial cannot be judged any more; its reason is an {@link InvalidTrial}. */
  readonly spoiled: AbortSignal;
  readonly seen: SeenInWorld;
}

/** JSON, except that it grows. */
export interface SeenInWorld {
  /** Tool calls, including calls of inner runs. */
  calls: number;
  /** How many of these calls the recording answered. */
  recorded: number;
  /** Calls that needed approval. */
  readonly approvals: PendingCall[];
  /** Tools with effects that really ran. */
  readonly effects: string[];
  /** The service's own tools that were live because the recording had nothing for them. */
  readonly served: string[];
}

/** Why a trial cannot be judged. */
export class InvalidTrial extends Error {
  override readonly name = "InvalidTrial";
}

/**
 * Opens a world other than `replay`: what answers calls, who approves them, and what time it is.
 *
 * @param madeBefore - Calls that the trial has made, or began with: their recorded outcomes are used up.
 */
export function openWorld<Expected>(
  { suite, plan: { one, world }, kept }: TrialJob<Expected>,
  clock: () => number,
  madeBefore: readonly RecordedCall[],
): TrialWorld {
  const spoiled = new AbortController();
  const seen = structuredClone(kept?.seen ?? { calls: 0, recorded: 0, approvals: [], effects: [], served: [] });
  const spoil = (why: string): ToolOutcome => {
    spoiled.abort(new InvalidTrial(why));
    return { ok: false, kind: "cancelled", message: why };
  };
  const recorded = world !== "live" && "recording" in one ? readRecorded(suite, one) : undefined;
  for (const { name, args, response } of madeBefore) if (response !== undefined) recorded?.outcomes.next(name, args);
  const time = recorded?.at === undefined ? clock : moving(recorded.at, clock);

  const call = async (made: RehearsedCall): Promise<ToolOutcome | undefined> => {
    if (runsInside(made)) return undefined;
    seen.calls += 1;
    const { name, args } = made.call;
    const found = recorded?.outcomes.next(name, args ?? {});
    if (found !== undefined) {
      seen.recorded += 1;
      return found.outcome;
    }
    if (made.tool.builtIn !== undefined) {
      if (recorded !== undefined) seen.served.push(made.tool.builtIn);
      return undefined;
    }
    const { unknownCall = "fail", allowEffects = [] } = suite;
    if (recorded !== undefined && unknownCall === "fail")
      return spoil(
        `the recording has no call ${describe(made)}: set match to say which arguments are the same, or unknownCall to say what else may answer`,
      );
    const standIn = Object.hasOwn(suite.standIn ?? {}, name) ? suite.standIn?.[name] : undefined;
    // The arguments were checked against the tool's schema.
    if (standIn !== undefined)
      return await outcomeOf(() => standIn((args ?? {}) as never, { name, callId: made.callId }));
    if (recorded !== undefined && unknownCall === "stand-in")
      return spoil(`the recording has no call ${describe(made)}, and there is no stand-in for it: add standIn.${name}`);
    if (made.tool.effects === "none") return undefined;
    if (!allowEffects.includes(name))
      return spoil(
        `"${name}" may have effects and was not run: add standIn.${name}, or name it in allowEffects; a tool without effects says effects: "none"`,
      );
    if (!seen.effects.includes(name)) seen.effects.push(name);
    return undefined;
  };

  const approve: NonNullable<Rehearsal["approve"]> = async (pending, run) => {
    seen.approvals.push(pending);
    if (recorded?.has(pending.call.name, pending.call.args ?? {}) === true) return true;
    if (suite.approve !== undefined) return await suite.approve(pending, run);
    spoil(`nobody decides about "${pending.call.name}", which needs approval: give the suite an approve function`);
    return false;
  };

  return {
    rehearsal: { call, approve, now: time },
    now: recorded?.at === undefined ? clock : () => recorded.at ?? 0,
    spoiled: spoiled.signal,
    seen,
  };
}

/** When a recorded run began; absent in a log without it. */
export function recordedAt({ recording, runId }: Pick<SessionCase, "recording" | "runId">): number | undefined {
  const run = recording.log.map(fieldsOf).find((entry) => entry["type"] === "run" && entry["runId"] === runId);
  return typeof run?.["at"] === "number" ? run["at"] : undefined;
}

function readRecorded<Expected>({ match = {} }: EvalSuite<Expected>, one: SessionCase<Expected>) {
  const calls = [...recordedCalls(one.recording.log, one.runId), ...nestedCalls(one.recording, one.runId)];
  return {
    outcomes: new RecordedOutcomes(calls, match),
    // The outcome of a denied call is its denial.
    has: (name: string, args: unknown) => new RecordedOutcomes(calls, match).next(name, args) !== undefined,
    at: recordedAt(one),
  };
}

/** Calls of the agents inside a run's calls, oldest first. A log does not have them, only the requests that were kept. */
function nestedCalls({ exchanges }: Recording, runId: string): readonly RecordedCall[] {
  const kept = new KeptExchanges(exchanges);
  const within = new Set([runId]);
  /** The last request of a run has all that came before. */
  const last = new Map<string, KeptExchange>();
  for (const one of kept.exchanges) {
    if (one.parent?.callId === undefined || !within.has(one.parent.runId)) continue;
    within.add(one.runId);
    last.set(one.runId, one);
  }
  return [...last].flatMap(([nested, { position }]) => {
    // A request as this library built it.
    const body = JSON.parse(new TextDecoder().decode(kept.body(position))) as {
      readonly contents?: readonly Content[];
    };
    return callsOf(body.contents ?? [], nested);
  });
}

function callsOf(contents: readonly Content[], runId: string): readonly RecordedCall[] {
  return contents.flatMap(({ parts }, index) => {
    const responses = (contents[index + 1]?.parts ?? []).flatMap((part) => part.functionResponse ?? []);
    return parts
      .flatMap((part) => part.functionCall ?? [])
      .map(({ name, args = {} }, at): RecordedCall => {
        const { response } = responses[at] ?? {};
        return { runId, turn: 0, callId: "", name, args, ...(response !== undefined && { response }) };
      });
  });
}

/** An agent inside a call, or a handover: it runs, and its own calls come through here. */
function runsInside({ tool }: RehearsedCall): boolean {
  return tool.agent !== undefined || tool.readsNested === true || tool.handoff !== undefined;
}

/** Time that continues from `from` at the pace of the clock. */
function moving(from: number, clock: () => number): () => number {
  const began = clock();
  return () => from + clock() - began;
}

async function outcomeOf(answer: () => unknown): Promise<ToolOutcome> {
  try {
    return { ok: true, output: (await answer()) ?? null };
  } catch (error) {
    const isRetry = error instanceof Error && error.name === "ModelRetry";
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, kind: isRetry ? "bad-input" : "failed", message };
  }
}

function describe({ call: { name, args = {} } }: RehearsedCall): string {
  return `${name}(${shorten(JSON.stringify(args))})`;
}
