import type { ExchangeDetails } from "../../src/inspection/exchange-details.ts";

/** A kept request with these details. */
export function detailsOf(
  url: string,
  headers: readonly (readonly [name: string, value: string])[],
  body: string,
  step = "model:1",
): ExchangeDetails {
  return {
    row: {
      n: 0,
      runId: "r",
      step,
      turn: 1,
      attempt: 1,
      at: 0,
      ms: 0,
      method: "POST",
      url,
      ended: "complete",
      requestBytes: 0,
      sharedBytes: 0,
    },
    request: { headers: Object.fromEntries(headers), body, shared: 0 },
  };
}
