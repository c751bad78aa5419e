import { namesIn, type OptionNames, type Spellings } from "../internal/option-names.ts";
import type { Environment } from "../internal/environment.ts";
import type { Logger } from "../logging/logger.ts";
import type { RequestEncoder } from "./http/encode-request.ts";
import type { Endpoint } from "./endpoints/endpoint.ts";
import type { HttpClientName } from "./http/choose-transport.ts";
import type { ExchangeTap } from "./http/exchange-tap.ts";
import type { FetchLike } from "./http/transport.ts";
import type { RequestBudget, RetryNotice, RetryPolicy } from "./http/retry.ts";
import type { WaitNotice } from "./limiter/rate-gate.ts";
import type { Traffic } from "./limiter/traffic.ts";
import type { Fields } from "./types/content.ts";

/** Options of `GeminiClient`. */
export interface GeminiClientOptions extends Fields<AnswerLimits> {
  /** @defaultValue from the environment, see `defaultEndpoint`; read with the first request */
  readonly endpoint?: Endpoint | undefined;
  /** Sends all requests. @defaultValue according to `httpClient` */
  readonly fetch?: FetchLike | undefined;
  /**
   * The HTTP client to use when no `fetch` is given. `auto` takes `node:http` on Node, at less than half the CPU, while the difference
   * cannot be observed (nothing is patched or subscribed to, and no proxy is in use), and the platform's `fetch` otherwise. `fetch` and
   * `node` force one; `node` uses the environment's proxy. @defaultValue `POLLUX_HTTP_CLIENT`, then "auto"
   */
  readonly httpClient?: HttpClientName | undefined;
  /** How long to wait. @defaultValue first byte 300 s, idle 120 s, whole call 1,200 s */
  readonly timeouts?: Fields<Timeouts> | undefined;
  /** How requests are retried. @defaultValue 4 attempts; 0.5, 1, 2 s apart, or as long as the service asks, up to 300 s */
  readonly retry?: Fields<RetryPolicy> | undefined;
  /** Limits concurrent requests, and shares waits that the service asks for, between clients. @defaultValue the client's own, without a limit */
  readonly traffic?: Traffic | undefined;
  /** Group of these requests in the queue of `traffic`; groups take turns. @defaultValue each run is a group */
  readonly group?: object | string | undefined;
  /** @defaultValue silent, unless `POLLUX_LOG` names a level */
  readonly logger?: Logger | undefined;
  /** Most bytes of a request, inline media as base64 included. @defaultValue 104_857_600 (100 MiB), the limit of the service; none on Vertex */
  readonly maxRequestBytes?: number | undefined;
  /** Returns numbers from 0 to 1, for jitter. @defaultValue `Math.random` */
  readonly random?: (() => number) | undefined;
  /** Returns milliseconds since the epoch. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
  /** @defaultValue the process's environment */
  readonly env?: Environment | undefined;
}

/** The names of all options. */
export const CLIENT_OPTIONS: OptionNames<GeminiClientOptions> = namesIn(
  "endpoint fetch httpClient timeouts retry traffic group logger maxBufferBytes maxAnswerBytes maxAnswerChunks",
  "maxRequestBytes random now env",
);

/** Advice for options of other libraries. */
export const CLIENT_SPELLINGS: Spellings = {
  "use endpoint: geminiApi({ apiKey: … })": "apiKey",
  "use endpoint: endpoint({ baseUrl: …, apiKey: … })": "baseUrl baseURL headers",
};

/** The client's own time limits, in milliseconds; `Infinity` disables one. */
export interface Timeouts {
  /** From sending the request to the first byte of the body. @defaultValue 300_000 */
  readonly firstByteMs: number;
  /** Between two reads of the body; only the time spent waiting for the service counts. @defaultValue 120_000 */
  readonly idleMs: number;
  /** For the whole attempt; also sent to the service. @defaultValue 1_200_000 */
  readonly totalMs: number;
}

/** Five minutes to the first byte, two between reads, twenty in total. */
export const DEFAULT_TIMEOUTS: Timeouts = { firstByteMs: 300_000, idleMs: 120_000, totalMs: 1_200_000 };

/** Limits on the memory that an answer may take. */
export interface AnswerLimits {
  /** Most bytes of one event of a stream, or of a whole answer. @defaultValue 67_108_864 (64 MiB) */
  readonly maxBufferBytes: number;
  /** Most bytes of a streamed answer, decompressed; a longer one fails with an `ApiShapeError`. @defaultValue 268_435_456 (256 MiB) */
  readonly maxAnswerBytes: number;
  /** Most chunks of a streamed answer. One with more fails with an `ApiShapeError`. @defaultValue 1_000_000 */
  readonly maxAnswerChunks: number;
}

export const DEFAULT_LIMITS: AnswerLimits = {
  maxBufferBytes: 64 * 1024 * 1024,
  // Well below the longest string, since a whole answer may become one string.
  maxAnswerBytes: 256 * 1024 * 1024,
  maxAnswerChunks: 1_000_000,
};

/** How to cancel a call. */
export interface CallSignal {
  /** Aborting it ends the call, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of one call. */
export interface CallOptions extends CallSignal {
  /** Called before each wait; must not throw. */
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined;
  /** Called before a wait that the service imposed on another request; must not throw. */
  readonly onWait?: ((notice: WaitNotice) => void) | undefined;
  /** Called with the milliseconds that a request waited in the queue of `traffic`, once it may be sent; must not throw. */
  readonly onQueued?: ((queuedMs: number) => void) | undefined;
  /** Group of this request in the queue of `traffic`. @defaultValue the client's */
  readonly group?: object | string | undefined;
  /** Reuses the bytes of a conversation's previous request. For one call at a time. */
  readonly encoder?: RequestEncoder | undefined;
  /** Limits the requests of several calls together. @defaultValue only the retry policy limits them */
  readonly budget?: RequestBudget | undefined;
  /** @defaultValue the client's */
  readonly logger?: Logger | undefined;
  /** Receives each HTTP exchange of the call. @defaultValue none */
  readonly tap?: ExchangeTap | undefined;
}
