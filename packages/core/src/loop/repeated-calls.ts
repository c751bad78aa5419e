import type { FunctionCall, Part } from "../wire/content.ts";

/**
 * Counts how often in a row the same calls brought the same results: a model that is going round in circles. A poll
 * whose result changes is not one.
 */
export class RepeatGuard {
  readonly #limit: number;
  #calls = "";
  #responses: readonly Part[] = [];
  #times = 0;

  /** @param limit - Turns in a row, from 2; `Infinity` never trips. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** True when this turn was the `limit`-th in a row with the same calls and the same results. */
  sawTurn(calls: readonly FunctionCall[], responses: readonly Part[]): boolean {
    const key = JSON.stringify(calls.map(({ name, args }) => [name, args]));
    // Results are compared only when the calls are the same, which they hardly ever are.
    const same = key === this.#calls && payloads(responses) === payloads(this.#responses);
    this.#times = same ? this.#times + 1 : 1;
    this.#calls = key;
    this.#responses = responses;
    return this.#times >= this.#limit;
  }
}

function payloads(parts: readonly Part[]): string {
  return JSON.stringify(parts.map((part) => part.functionResponse?.response));
}
