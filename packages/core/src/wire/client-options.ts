import type { Environment } from "../internal/environment.ts";
import type { Logger } from "../logging/logger.ts";
import type { RequestEncoder } from "./http/encode-request.ts";
import type { Endpoint } from "./endpoints/endpoint.ts";
import type { HttpClientName } from "./http/choose-transport.ts";
import type { FetchLike } from "./http/transport.ts";
import type { RequestBudget, RetryNotice, RetryPolicy } from "./http/retry.ts";
import type { Traffic } from "./limiter/traffic.ts";
import type { WaitNotice } from "./limiter/endpoint-limiter.ts";
import type { Timeouts } from "./http/timeouts.ts";

/** Options of `GeminiClient`. */
export interface GeminiClientOptions {
  /** @defaultValue what the environment asks for, see `defaultEndpoint`; read with the first request */
  readonly endpoint?: Endpoint | undefined;
  /** Sends all requests. @defaultValue what `httpClient` says */
  readonly fetch?: FetchLike | undefined;
  /**
   * The HTTP client to use when no `fetch` is given. `auto` takes `node:http` on Node, at less than half the CPU, while the difference
   * cannot be observed (`globalThis.fetch` and undici's global dispatcher are Node's own, undici's diagnostics channels have no
   * subscribers, and no proxy is in use), and the platform's `fetch` otherwise. `fetch` and `node` force one; `node` uses the
   * environment's proxy.
   *
   * @defaultValue `POLLUX_HTTP_CLIENT`, then "auto"
   */
  readonly httpClient?: HttpClientName | undefined;
  readonly timeouts?: { readonly [Limit in keyof Timeouts]?: Timeouts[Limit] | undefined } | undefined;
  readonly retry?: { readonly [Field in keyof RetryPolicy]?: RetryPolicy[Field] | undefined } | undefined;
  /**
   * Limits how much is sent at once, and shares what the service says about waiting. One object may serve any number of clients.
   *
   * @defaultValue one of the client's own, without a limit
   */
  readonly traffic?: Traffic | undefined;
  /** Whose requests these are in the queue of `traffic`, where groups take turns. @defaultValue each run is a group */
  readonly group?: object | string | undefined;
  /** @defaultValue silent, unless `POLLUX_LOG` names a level */
  readonly logger?: Logger | undefined;
  /**
   * Most bytes of one event of a stream, or of a whole answer.
   *
   * @defaultValue 67_108_864 (64 MiB)
   */
  readonly maxBufferBytes?: number | undefined;
  /**
   * Most bytes of a request, inline media as base64 included. A larger one is refused before it is sent.
   *
   * @defaultValue 104_857_600 (100 MiB), what the service takes; on Vertex no limit
   */
  readonly maxRequestBytes?: number | undefined;
  /** Numbers from 0 to 1, for jitter. @defaultValue `Math.random` */
  readonly random?: (() => number) | undefined;
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
  /** @defaultValue the process's environment */
  readonly env?: Environment | undefined;
}

/** How one call is ended early. */
export interface CallSignal {
  /** Aborting it ends the call, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of one call. */
export interface CallOptions extends CallSignal {
  /** Called before each wait; must not throw. */
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined;
  /** Called before a wait that the service asked another request for; must not throw. */
  readonly onWait?: ((notice: WaitNotice) => void) | undefined;
  /** Whose request this is in the queue of `traffic`. @defaultValue the client's */
  readonly group?: object | string | undefined;
  /** Keeps what was serialised from one request of a conversation to the next. One call at a time may use it. */
  readonly encoder?: RequestEncoder | undefined;
  /** Requests that this call, together with others, may send. @defaultValue no limit but the retry policy's */
  readonly budget?: RequestBudget | undefined;
  /** @defaultValue the client's */
  readonly logger?: Logger | undefined;
}
