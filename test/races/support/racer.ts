import {
  AgentError,
  type Approval,
  type ExternalOutcome,
  type PendingCall,
  type RunResult,
  type Session,
  type SessionStore,
} from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import type { Effects } from "../../faults/support/effects.ts";
import { randomFrom } from "../../faults/support/random.ts";
import { type CallArgs, raceAgent } from "./race-agent.ts";
import type { Step, Verdict } from "./round.ts";

/** An act on a session. */
export type Deed =
  | { readonly is: "message"; readonly text: string }
  /** `shown`: the question as the answering person saw it. */
  | { readonly is: "answer"; readonly shown: PendingCall; readonly value: Approval | ExternalOutcome }
  | { readonly is: "other"; readonly act: string };

/** News of a deed: its start, or its end. A killed process sends no end. */
export type News =
  | { readonly deed: string; readonly begins: Deed }
  | { readonly deed: string; readonly ended: DeedError | "done" };

export interface DeedError {
  readonly name: string;
  readonly code?: string | undefined;
  readonly message: string;
}

/** The environment of a racer. */
export interface RacerPlace {
  readonly store: SessionStore;
  readonly id: string;
  readonly effects: Effects;
  readonly leaseMs: number;
  readonly seed: number;
  /** Name of the process, unique in the round. */
  readonly name: string;
  readonly lives: (ms: number) => Promise<void>;
  readonly tell: (news: News) => void;
}

/** All actors of one process on a session. */
export class Racer {
  readonly #place: RacerPlace;
  readonly #random: () => number;
  readonly #objects: Map<number, Session> = new Map();
  /** Questions that an actor here has seen. */
  readonly #seen: PendingCall[] = [];
  /** Active tools and models. */
  #busy = 0;

  constructor(place: RacerPlace) {
    this.#place = place;
    this.#random = randomFrom(place.seed);
  }

  /** Resolves when none of its tools is active. */
  async settled(): Promise<void> {
    while (this.#busy > 0) await this.#place.lives(1);
  }

  /** Performs a step; never rejects. */
  async perform({ number, act }: Step, object: number): Promise<void> {
    const session = this.object(object);
    const other = (name: string, work: () => Promise<unknown>): Promise<void> =>
      this.#attempt(`${number}`, { is: "other", act: name }, work);
    switch (act.do) {
      case "send": {
        const { text, whileRunning, unfinished, leavesAfterMs } = act;
        const left = new AbortController();
        if (leavesAfterMs !== undefined)
          setTimeout(() => left.abort(new DOMException("the reader left", "AbortError")), leavesAfterMs);
        return await this.#attempt(`${number}`, { is: "message", text }, () =>
          this.#seeing(session.send(text, { whileRunning, unfinished, signal: left.signal })),
        );
      }
      case "continue": {
        const { message, whileRunning } = act;
        if (message === undefined) return await other("continue", () => this.#seeing(session.continue()));
        const { text, runId } = message;
        return await this.#attempt(`${number}`, { is: "message", text }, () =>
          this.#seeing(session.continue({ message: text, runId, whileRunning })),
        );
      }
      case "steer":
        return await this.#attempt(`${number}`, { is: "message", text: act.text }, () =>
          session.steer(act.text, { id: act.id }),
        );
      case "answer": {
        const { verdict, via, which, opposite, pick } = act;
        const open = await this.#look(session);
        const pool = which === "open" ? open : this.#seen;
        const shown = pool[Math.floor(pick * pool.length)];
        if (shown === undefined) return;
        const tag = `by #${number}`;
        const against =
          opposite === undefined
            ? []
            : [verdict === "approve" || verdict === "edit" ? ("deny" as const) : ("approve" as const)];
        await Promise.all(
          [verdict, ...against].map((one, index) => {
            const from = index === 1 && opposite === "other object" ? this.object(object + 10) : session;
            return this.answer(`${number}.${index}`, from, via, shown, answerTo(shown, one, tag, pick));
          }),
        );
        return;
      }
      case "rewind":
      case "regenerate": {
        const { pick } = act;
        return await other(act.do, async () => {
          const { messages } = await readConversation(session);
          const before = pick > 0.5 ? undefined : messages[Math.floor(pick * 2 * messages.length)]?.id;
          await (act.do === "rewind"
            ? session.rewind({ before })
            : this.#seeing(session.regenerate({ messageId: before })));
        });
      }
      case "resume":
        return await other("resume", () => this.#seeing(session.resume()));
      case "stop":
        return await other("stop", () => session.stop());
      case "look":
        await this.#look(session);
        return;
      case "fork":
        return await other("fork", () => session.fork({ id: `${this.#place.id}-fork-${number}` }));
      default:
        throw new TypeError(`${act.do} is not for the process itself`);
    }
  }

  /** The session object of a number. */
  object(number: number): Session {
    const found = this.#objects.get(number) ?? this.#open(this.#place.id, number);
    this.#objects.set(number, found);
    return found;
  }

  /** Another session of the same store. */
  other(id: string): Session {
    return this.#open(id, 0);
  }

  #open(id: string, number: number): Session {
    const { store, effects, leaseMs, name } = this.#place;
    const lives = async (ms: number): Promise<void> => {
      this.#busy++;
      await this.#place.lives(ms);
      this.#busy--;
    };
    return raceAgent({ effects, random: this.#random, name: `${name}.${number}`, lives }).session({
      id,
      store,
      leaseMs,
    });
  }

  /** Answers one question; never rejects. */
  async answer(
    deed: string,
    session: Session,
    via: "answer" | "resume" | "continue",
    shown: PendingCall,
    value: Approval | ExternalOutcome,
  ): Promise<void> {
    const answers = { [shown.question === "approval" ? "approvals" : "outcomes"]: { [shown.token]: value }, by: deed };
    await this.#attempt(deed, { is: "answer", shown, value }, async () => {
      if (via === "answer") await session.answer(answers);
      else await this.#seeing(via === "resume" ? session.resume(answers) : session.continue(answers));
    });
  }

  async #attempt(deed: string, begins: Deed, work: () => Promise<unknown>): Promise<void> {
    const { tell } = this.#place;
    tell({ deed, begins });
    try {
      await work();
      tell({ deed, ended: "done" });
    } catch (error) {
      const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
      tell({ deed, ended: { name, message, code: error instanceof AgentError ? error.code : undefined } });
    }
  }

  async #seeing(run: Promise<RunResult<unknown>>): Promise<void> {
    const result = await run;
    if ("pending" in result) this.#seen.push(...result.pending);
  }

  async #look(session: Session): Promise<readonly PendingCall[]> {
    const { pending } = await session.state();
    this.#seen.push(...pending);
    return pending;
  }
}

/** An answer; all except a plain approval name their author. */
function answerTo(shown: PendingCall, verdict: Verdict, tag: string, pick: number): Approval | ExternalOutcome {
  if (verdict === "withdraw") return { withdrawn: `withdrawn ${tag}` };
  if (shown.question !== "approval")
    return verdict === "deny" ? { error: `outcome ${tag}` } : { output: `outcome ${tag}` };
  switch (verdict) {
    case "approve":
      return true;
    case "deny":
      return { deny: `denied ${tag}` };
    case "edit": {
      const { ref, euros } = argsOf(shown.call.args);
      return { args: { ref, euros: ((euros + Math.floor(pick * 198)) % 200) + 1 } };
    }
  }
}

/** The arguments of a call, from the scripted model or edited. */
export function argsOf(args: unknown): CallArgs {
  return args as CallArgs;
}
