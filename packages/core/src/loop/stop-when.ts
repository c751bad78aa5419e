import { sameJson } from "../internal/json.ts";
import type { Usage } from "../model/usage.ts";
import type { FunctionCall, Part } from "../wire/types/content.ts";

/** What a stop rule may look at: finished turns only. */
export interface RunProgress {
  readonly turns: number;
  /** Calls made, over all turns. */
  readonly toolCalls: number;
  readonly usage: Usage;
  /** The calls of the last turn, in call order. */
  readonly lastCalls: readonly FunctionCall[];
  /** Visible text of the last answer. */
  readonly lastText: string;
}

/** True ends the run after the current turn with the stop reason `stopped`. Pure and synchronous; called once after each turn that made calls. */
export type StopRule = (progress: RunProgress) => boolean;

/** Stops after the turn that called one of these tools; their results are in the history. */
export function calledTool(...names: readonly string[]): StopRule {
  return ({ lastCalls }) => lastCalls.some((call) => names.includes(call.name));
}

/** Stops after this many turns, as a choice of the caller; `limits.turns` is the safety net. */
export function afterTurns(turns: number): StopRule {
  return (progress) => progress.turns >= turns;
}

/**
 * Counts how often in a row the same calls brought the same results: a model that is going round in circles. A poll
 * whose result changes is not one.
 */
export class RepeatGuard {
  readonly #limit: number;
  #calls: readonly FunctionCall[] = [];
  #responses: readonly Part[] = [];
  #times = 0;

  /** @param limit - Turns in a row, from 2; `Infinity` never trips. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** True when this turn was the `limit`-th in a row with the same calls and the same results. */
  addTurn(calls: readonly FunctionCall[], responses: readonly Part[]): boolean {
    // Results are compared only when the calls are the same, which they hardly ever are.
    const same = sameCalls(calls, this.#calls) && sameResults(responses, this.#responses);
    this.#times = same ? this.#times + 1 : 1;
    this.#calls = calls;
    this.#responses = responses;
    return this.#times >= this.#limit;
  }
}

function sameCalls(some: readonly FunctionCall[], others: readonly FunctionCall[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ name, args }, index) => name === others[index]?.name && sameJson(args, others[index]?.args))
  );
}

function sameResults(some: readonly Part[], others: readonly Part[]): boolean {
  return some.every((part, index) =>
    sameJson(part.functionResponse?.response, others[index]?.functionResponse?.response),
  );
}
