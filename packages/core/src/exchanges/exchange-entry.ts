import type { Json } from "../internal/json.ts";
import { EXCHANGE_VERSION, type ExchangeEntry } from "./entries.ts";
import type { KeptExchange } from "./kept-exchanges.ts";

/** An exchange that was recorded by something other than `keepExchanges`. */
export interface ForeignExchange extends Omit<
  KeptExchange,
  "position" | "bodyBytes" | "newBytes" | "base" | "dropped"
> {
  /** Of the request. */
  readonly body: string;
}

/** An exchange as an entry for {@link KeptExchanges}, with its whole body: shows what others have recorded in the same way. */
export function exchangeEntry(exchange: ForeignExchange): Json {
  const { agent, model, endpoint, operation, method, url, requestHeaders, body, step, startedAt, endedAt } = exchange;
  const { runId, parent, attempt, status, responseHeaders, chunks, ended, error } = exchange;
  const entry: ExchangeEntry = {
    v: EXCHANGE_VERSION,
    type: "exchange",
    at: startedAt,
    ms: endedAt - startedAt,
    runId,
    ...(parent !== undefined && { parent }),
    step: step.name,
    place: step.place,
    stepAttempt: step.attempt,
    attempt,
    about: {
      agent,
      model,
      ...(endpoint !== undefined && { endpoint }),
      operation,
      method,
      url,
      headers: requestHeaders,
    },
    body: { bytes: new TextEncoder().encode(body).length, parts: [body] },
    ...(status !== undefined && { status }),
    ...(responseHeaders !== undefined && { headers: responseHeaders }),
    chunks: chunks.map(({ ms, text }) => [ms, text]),
    ended,
    ...(error !== undefined && { error }),
  };
  // Plain data without members that are undefined.
  return entry as unknown as Json;
}
