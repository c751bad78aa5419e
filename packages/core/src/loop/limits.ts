import type { Step } from "../durable/steps.ts";
import { MAX_TIMER_MS } from "../internal/abort.ts";
import { addUsage, type Usage } from "../model/usage.ts";
import type { RemainingLimits } from "../tool/tool.ts";

/** Bounds of a run. Each is checked before a request and after a response; reaching one ends the run with the stop reason `limit`. */
export interface Limits {
  /** Model turns. @defaultValue 25 */
  readonly turns?: number | undefined;
  /** Function calls over the whole run. @defaultValue 200 */
  readonly toolCalls?: number | undefined;
  /** Prompt tokens, summed over all requests. @defaultValue unlimited */
  readonly inputTokens?: number | undefined;
  /** Visible output and thoughts, summed. @defaultValue unlimited */
  readonly outputTokens?: number | undefined;
  /** All tokens, summed. @defaultValue unlimited */
  readonly totalTokens?: number | undefined;
  /** Milliseconds in which the run was at work (not: waiting for a person). Also cuts off what is under way. @defaultValue unlimited */
  readonly wallTimeMs?: number | undefined;
  /** Money, in the unit of the price table, which has to be given as well. @defaultValue unlimited */
  readonly cost?: number | undefined;
}

/** The limits that hold when nothing is said. */
export const DEFAULT_LIMITS: Limits = { turns: 25, toolCalls: 200 };

/** What a run has used of its limits. */
export interface Spent {
  readonly turns: number;
  readonly toolCalls: number;
  readonly usage: Usage;
  readonly wallTimeMs: number;
  /** 0 without a price table. */
  readonly cost: number;
}

/** A limit and how far the run got. */
export interface LimitReached {
  readonly name: "turns" | "toolCalls" | "inputTokens" | "outputTokens" | "totalTokens" | "wallTimeMs" | "cost";
  readonly limit: number;
  readonly used: number;
  /** The limit is the session's: `used` counts all of its runs. */
  readonly scope?: "session" | undefined;
}

/** The first limit that leaves no room for another request, if any. */
export function limitReached(limits: Limits, spent: Spent): LimitReached | undefined {
  const used = usedOf(spent);
  for (const name of LIMIT_NAMES) {
    const limit = limits[name];
    if (limit !== undefined && used[name] >= limit) return { name, limit, used: used[name] };
  }
  return undefined;
}

/** What was used, by the names of the limits. */
export function usedOf(spent: Spent): { readonly [Name in (typeof LIMIT_NAMES)[number]]: number } {
  return {
    turns: spent.turns,
    toolCalls: spent.toolCalls,
    inputTokens: spent.usage.inputTokens,
    outputTokens: spent.usage.outputTokens + spent.usage.thoughtTokens,
    totalTokens: spent.usage.totalTokens,
    wallTimeMs: spent.wallTimeMs,
    cost: spent.cost,
  };
}

/** Limits over several runs, and what the earlier ones have used of them. */
export interface SharedLimits {
  readonly limits: Limits;
  readonly before: Spent;
}

/** The first limit of the run, or of its session, that leaves no room for another request. */
export function firstLimit(
  { limits, session }: { readonly limits: Limits; readonly session?: SharedLimits | undefined },
  spent: Spent,
): LimitReached | undefined {
  const own = limitReached(limits, spent);
  if (own !== undefined || session === undefined) return own;
  const shared = limitReached(session.limits, addSpent(session.before, spent));
  return shared && { ...shared, scope: "session" };
}

/** What two stretches of work have used together. */
export function addSpent(a: Spent, b: Spent): Spent {
  return {
    turns: a.turns + b.turns,
    toolCalls: a.toolCalls + b.toolCalls,
    usage: addUsage(a.usage, b.usage),
    wallTimeMs: a.wallTimeMs + b.wallTimeMs,
    cost: a.cost + b.cost,
  };
}

/** Throws a `TypeError` that names the limit which is not a positive number. */
export function checkLimits(limits: Limits): void {
  for (const name of LIMIT_NAMES) {
    const limit = limits[name];
    if (limit !== undefined && !(limit > 0))
      throw new TypeError(`limits.${name} must be a positive number, got ${limit}`);
  }
}

const LIMIT_NAMES = ["turns", "toolCalls", "inputTokens", "outputTokens", "totalTokens", "wallTimeMs", "cost"] as const;

/** The limits that a run hands on to runs inside its calls. Turns and calls are each run's own. */
const HANDED_ON = ["inputTokens", "outputTokens", "totalTokens", "wallTimeMs", "cost"] as const;

/** What is left of the limits of a run, and of its session. */
export function remainingOf(
  { limits, session }: { readonly limits: Limits; readonly session?: SharedLimits | undefined },
  spent: Spent,
): RemainingLimits {
  const own = leftOf(limits, spent);
  return session === undefined ? own : lower(own, leftOf(session.limits, addSpent(session.before, spent)));
}

/** Limits that are nowhere higher than what a calling run has left. */
export function within(limits: Limits, remaining: RemainingLimits): Limits {
  return { ...limits, ...lower(limits, remaining) };
}

function leftOf(limits: Limits, spent: Spent): RemainingLimits {
  const used = usedOf(spent);
  return each((name) => {
    const limit = limits[name];
    return limit === undefined ? undefined : Math.max(0, limit - used[name]);
  });
}

function lower(a: RemainingLimits, b: RemainingLimits): RemainingLimits {
  return each((name) => {
    const [one = Infinity, other = Infinity] = [a[name], b[name]];
    const least = Math.min(one, other);
    return least === Infinity ? undefined : least;
  });
}

function each(valueOf: (name: keyof RemainingLimits) => number | undefined): RemainingLimits {
  const entries = HANDED_ON.flatMap((name) => {
    const value = valueOf(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

const WALL_TIME = "WallTimeReached";

/** The timer fires a little late, so that the recorded times of the steps show that the limit was passed. */
const LATE_MS = 20;
/** Cuts off steps when the wall time of their run is up. It runs only while a step does: a wait for a person costs nothing. */
export class WallClock {
  readonly #limitMs: number;
  readonly #usedMs: () => number;
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #inside = 0;
  /** What was used before the first step of this process, and the time in steps since. */
  #spentMs: number | undefined;
  #startedAt = 0;

  /** @param usedMs - What the steps that ended have used. */
  constructor(limitMs: number, usedMs: () => number) {
    this.#limitMs = limitMs;
    this.#usedMs = usedMs;
  }

  /** The work of a step, which also ends when the wall time is up. */
  async through<StepKind extends Pick<Step, "signal">, T>(
    step: StepKind,
    work: (step: StepKind) => Promise<T>,
  ): Promise<T> {
    if (this.#inside++ === 0) this.#start();
    try {
      return await work({ ...step, signal: AbortSignal.any([step.signal, this.#controller.signal]) });
    } finally {
      if (--this.#inside === 0) this.#stop();
    }
  }

  #start(): void {
    // Steps of one round are counted by the run when the round is over; two that follow each other in it are not forgotten here.
    this.#spentMs = Math.max(this.#spentMs ?? 0, this.#usedMs());
    this.#startedAt = Date.now();
    const leftMs = Math.max(0, this.#limitMs - this.#spentMs) + LATE_MS;
    if (leftMs > MAX_TIMER_MS) return;
    const reason = new Error(`the run reached its wall time limit of ${this.#limitMs} ms`);
    reason.name = WALL_TIME;
    this.#timer = setTimeout(() => this.#controller.abort(reason), leftMs);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#spentMs = (this.#spentMs ?? 0) + Date.now() - this.#startedAt;
  }
}

/** What a step that the wall time ended leaves. */
export const WALL_TIME_REACHED: { readonly name: string; readonly message: string } = {
  name: WALL_TIME,
  message: "the run reached its wall time limit",
};

/** True for the recorded error of a step that the wall time ended. */
export function isWallTimeReached(error: { readonly name: string } | undefined): boolean {
  return error?.name === WALL_TIME;
}
