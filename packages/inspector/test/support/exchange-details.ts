import type { ExchangeDetails } from "../../src/inspection/exchange-details.ts";

/** A kept request of which a log says this. */
export function detailsOf(
  url: string,
  headers: ExchangeDetails["request"]["headers"],
  body: string,
  step = "model:1",
): ExchangeDetails {
  return {
    row: {
      n: 0,
      runId: "r",
      step,
      attempt: 1,
      at: 0,
      ms: 0,
      method: "POST",
      url,
      ended: "complete",
      requestBytes: 0,
      sharedBytes: 0,
      newBytes: 0,
      responseBytes: 0,
      chunks: 0,
    },
    request: { method: "POST", url, headers, body, shared: 0 },
  };
}
