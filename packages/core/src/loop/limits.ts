import type { Step } from "../durable/steps.ts";
import { ConfigurationError } from "../errors/agent-error.ts";
import { startTimer } from "../internal/abort.ts";
import { present, sameJson } from "../internal/json.ts";
import { checkAtLeast } from "../internal/option-names.ts";
import { addUsage, type Cost, type Usage } from "../model/usage.ts";
import type { RemainingLimits } from "../tool/tool.ts";
import type { FunctionCall, Part } from "../wire/types/content.ts";

/** Bounds of a run, checked before a request and after a response; reaching one ends the run with the stop reason `limit`. */
export interface Limits extends RemainingLimits {
  /** Model turns. @defaultValue 25 */
  readonly turns?: number | undefined;
  /** Function calls over the whole run. @defaultValue 200 */
  readonly toolCalls?: number | undefined;
  /** Function calls of one turn that run at the same time; the others wait. @defaultValue 8 */
  readonly concurrentCalls?: number | undefined;
  /** Consecutive turns with the same calls and results, which end the run with `repeated-calls`; `Infinity` for no limit. @defaultValue 3 */
  readonly repeats?: number | undefined;
  /** Restarts of a broken stream, per request; 0 for none. @defaultValue 2 */
  readonly restarts?: number | undefined;
  /**
   * Requests per turn, for any reason: a retry, the next piece of a long answer, a changed request, a broken stream, an unusable
   * answer. Once they are used up, the run fails with a `RequestLimitError` or ends with the answer it has. @defaultValue 100
   */
  readonly requestsPerTurn?: number | undefined;
}

/** Limits that every run has. */
export type RunLimits = Limits & Record<"concurrentCalls" | "repeats" | "restarts" | "requestsPerTurn", number>;

const DEFAULTS: RunLimits = {
  turns: 25,
  toolCalls: 200,
  concurrentCalls: 8,
  repeats: 3,
  restarts: 2,
  requestsPerTurn: 100,
};

/** The limits, with defaults for the unset ones. */
export function withDefaults(limits: Limits = {}): RunLimits {
  return { ...DEFAULTS, ...(present(limits) as Partial<RunLimits>) };
}

/** What a run has used of its limits. */
export interface Spent extends Omit<Cost, "cost"> {
  readonly turns: number;
  readonly toolCalls: number;
  readonly usage: Usage;
  readonly wallTimeMs: number;
  /** 0 without a price table; excludes the cost of `unpriced`. */
  readonly cost: number;
}

/** The limit that ended a run, and what the run had used. */
export interface LimitReached {
  readonly name: (typeof LIMIT_NAMES)[number];
  /** The limit's value. */
  readonly limit: number;
  /** How much was used: at least the limit. */
  readonly used: number;
  /** The limit is the session's, and `used` counts all of its runs; or its owner's, and `used` counts all sessions of the owner. */
  readonly scope?: "session" | "owner" | undefined;
}

/** What an owner may spend, and has spent, in all sessions together, in the unit of the price table. */
export interface OwnerBudget {
  readonly maxCost: number;
  /** Sum of `cost` in the store's list, which includes the finished turns of active runs. */
  readonly spent: number;
}

/** Returns an owner's current budget. */
export type AskOwnerBudget = () => OwnerBudget | Promise<OwnerBudget>;

/** The first limit that leaves no room for another request, if any. */
export function limitReached(limits: Limits, spent: Spent): LimitReached | undefined {
  const used = usedOf(spent);
  for (const name of LIMIT_NAMES) {
    const limit = limits[name];
    if (limit !== undefined && used[name] >= limit) return { name, limit, used: used[name] };
  }
  return undefined;
}

function usedOf(spent: Spent): { readonly [Name in LimitReached["name"]]: number } {
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

/** @throws {ConfigurationError} When the cost of a run is limited, and a model without a price answered. */
export function checkPriced(run: RunBounds, unpriced: string): void {
  if (run.isReading === true || (run.limits.cost ?? run.session?.limits.cost ?? run.ownerBudget) === undefined) return;
  throw new ConfigurationError(
    `${unpriced} answered, and the price table has no prices for it: the cost of this run, which is limited, is unknown. Add them.`,
  );
}

/** What bounds a run. */
export interface RunBounds {
  readonly limits: Limits;
  /** Limits shared by several runs, and what earlier runs have used. */
  readonly session?: { readonly limits: Limits; readonly before: Spent } | undefined;
  /** Called before each new turn. */
  readonly ownerBudget?: AskOwnerBudget | undefined;
  /** The run is only replayed from its journal: it asks nobody about unfinished work. */
  readonly isReading?: boolean | undefined;
}

/** The first limit of the run, or of its session, that leaves no room for another request. */
export function firstLimit({ limits, session }: RunBounds, spent: Spent): LimitReached | undefined {
  const own = limitReached(limits, spent);
  if (own !== undefined || session === undefined) return own;
  const shared = limitReached(session.limits, addSpent(session.before, spent));
  return shared && { ...shared, scope: "session" };
}

function addSpent(a: Spent, b: Spent): Spent {
  return {
    turns: a.turns + b.turns,
    toolCalls: a.toolCalls + b.toolCalls,
    usage: addUsage(a.usage, b.usage),
    wallTimeMs: a.wallTimeMs + b.wallTimeMs,
    cost: a.cost + b.cost,
  };
}

/** @throws {TypeError} With the name of a limit that is too low or not a number. */
export function checkLimits(limits: Limits): void {
  // At 0, a run would wait forever or end at once.
  for (const name of ["concurrentCalls", "repeats", "requestsPerTurn"] as const)
    checkAtLeast(`limits.${name}`, limits[name], 1);
  checkAtLeast("limits.restarts", limits.restarts, 0);
  for (const name of LIMIT_NAMES) {
    const limit = limits[name];
    if (limit !== undefined && !(typeof limit === "number" && limit > 0))
      throw new TypeError(
        `limits.${name} must be a positive number, got ${typeof limit === "number" ? limit : typeof limit}`,
      );
  }
}

const LIMIT_NAMES = ["turns", "toolCalls", "inputTokens", "outputTokens", "totalTokens", "wallTimeMs", "cost"] as const;

/** The limits that nested runs share with their caller. Turns and calls are counted per run. */
const SHARED = ["inputTokens", "outputTokens", "totalTokens", "wallTimeMs", "cost"] as const;

/** What is left of the limits of a run and its session. @param maxCost - By its owner's budget when the turn began. */
export function remainingLimits({ limits, session }: RunBounds, spent: Spent, maxCost?: number): RemainingLimits {
  const used = usedOf(spent);
  const left: Bound[] = [
    [limits, used],
    [{ cost: maxCost }, used],
  ];
  if (session !== undefined) left.push([session.limits, usedOf(addSpent(session.before, spent))]);
  return lowest(left);
}

/** The first limit that is used up. */
export function usedUp(limits: Limits): LimitReached["name"] | undefined {
  return LIMIT_NAMES.find((name) => limits[name] === 0);
}

/** The limits, none of them above what a calling run has left. */
export function within(limits: Limits, remaining: RemainingLimits): Limits {
  return { ...limits, ...lowest([[limits], [remaining]]) };
}

/** The limits of an agent that takes over a run. @param begun - Of the agent that began it. @param set - Its own; they hold if lower. */
export function lowestLimits(own: RunLimits, begun: RunLimits, set: Limits): RunLimits {
  const least = (name: "turns" | "toolCalls"): number => Math.min(begun[name] ?? Infinity, set[name] ?? Infinity);
  return { ...own, ...lowest([[begun], [set]]), turns: least("turns"), toolCalls: least("toolCalls") };
}

type Bound = readonly [limits: RemainingLimits, used?: ReturnType<typeof usedOf>];

/** The least that is left of each limit. */
function lowest(bounds: readonly Bound[]): RemainingLimits {
  const found: { -readonly [Name in keyof RemainingLimits]: number } = {};
  for (const name of SHARED) {
    const left = bounds.map(([limits, used]) => {
      const limit = limits[name] ?? Infinity;
      return used === undefined || limit === Infinity ? limit : Math.max(0, limit - used[name]);
    });
    const least = Math.min(...left);
    if (least !== Infinity) found[name] = least;
  }
  return found;
}

/** What a stop rule sees: finished turns only. */
export interface RunProgress {
  readonly turns: number;
  /** Calls made, over all turns. */
  readonly toolCalls: number;
  readonly usage: Usage;
  /** The calls of the last turn, in call order, without calls that the service answered itself. */
  readonly lastCalls: readonly FunctionCall[];
  /** Visible text of the last answer. */
  readonly lastText: string;
}

/** Returns true to end the run with the stop reason `stopped`. Pure and synchronous; called once after each turn that made calls. */
export type StopRule = (progress: RunProgress) => boolean;

/** Stops after the turn that called one of these tools; their results are in the history. */
export function calledTool(...names: readonly string[]): StopRule {
  return ({ lastCalls }) => lastCalls.some((call) => names.includes(call.name));
}

/** Stops after this many turns, as a planned end; `limits.turns` is the safety net. */
export function afterTurns(turns: number): StopRule {
  return (progress) => progress.turns >= turns;
}

/** Detects a model that repeats itself: the same calls with the same results in a row. A poll whose result changes does not count. */
export class RepeatGuard {
  #calls: readonly FunctionCall[] = [];
  #responses: readonly Part[] = [];
  #times = 0;

  /** @returns How many turns in a row, this one included, had the same calls and the same results. */
  addTurn(calls: readonly FunctionCall[], responses: readonly Part[]): number {
    // Their ids differ.
    const isSame = ({ name, args }: FunctionCall, index: number): boolean =>
      name === this.#calls[index]?.name &&
      sameJson(args, this.#calls[index].args) &&
      sameJson(responses[index]?.functionResponse?.response, this.#responses[index]?.functionResponse?.response);
    this.#times = calls.length === this.#calls.length && calls.every(isSame) ? this.#times + 1 : 1;
    this.#calls = calls;
    this.#responses = responses;
    return this.#times;
  }
}

/** The timer fires a little late, so that the recorded times of the steps exceed the limit. */
const LATE_MS = 20;

/** Aborts steps when their run reaches its wall time. It runs only while a step does: waiting for a person costs nothing. */
export class WallClock {
  readonly #limitMs: number;
  readonly #usedMs: () => number;
  readonly #controller = new AbortController();
  #stopTimer: (() => void) | undefined;
  #inside = 0;
  /** Used before the first step of this process, plus the time in steps since. */
  #spentMs = 0;
  #startedAt = 0;

  /** @param usedMs - The time of finished steps. */
  constructor(limitMs: number, usedMs: () => number) {
    this.#limitMs = limitMs;
    this.#usedMs = usedMs;
  }

  /** Runs a step's work, aborted when the wall time is up. */
  async through<StepKind extends Pick<Step, "signal">, T>(
    step: StepKind,
    work: (step: StepKind) => Promise<T>,
  ): Promise<T> {
    if (this.#inside++ === 0) this.#start();
    try {
      return await work({ ...step, signal: AbortSignal.any([step.signal, this.#controller.signal]) });
    } catch (error) {
      // A run inside the step rejects with an error of its own.
      const { aborted, reason } = this.#controller.signal;
      throw aborted && !step.signal.aborted ? reason : error;
    } finally {
      if (--this.#inside === 0) {
        this.#stopTimer?.();
        this.#spentMs += performance.now() - this.#startedAt;
      }
    }
  }

  #start(): void {
    // The run counts the steps of a round when the round is over; this counts the steps that have ended before.
    this.#spentMs = Math.max(this.#spentMs, this.#usedMs());
    this.#startedAt = performance.now();
    const leftMs = Math.max(0, this.#limitMs - this.#spentMs) + LATE_MS;
    if (leftMs === Infinity) return;
    const reason = new Error(`the run reached its wall time limit of ${this.#limitMs} ms`);
    reason.name = WALL_TIME_REACHED.name;
    this.#stopTimer = startTimer(leftMs, () => this.#controller.abort(reason));
  }
}

/** The recorded error of a step that the wall time aborted. */
export const WALL_TIME_REACHED: { readonly name: string; readonly message: string } = {
  name: "WallTimeReached",
  message: "the run reached its wall time limit",
};
