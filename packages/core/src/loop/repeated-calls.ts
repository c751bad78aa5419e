import { sameJson } from "../internal/json.ts";
import type { FunctionCall, Part } from "../wire/content.ts";

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
  sawTurn(calls: readonly FunctionCall[], responses: readonly Part[]): boolean {
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
