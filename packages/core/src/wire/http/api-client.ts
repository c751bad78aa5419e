import { ApiNetworkError, ApiShapeError, type ApiStatusError } from "../../errors/api-errors.ts";
import { type Logger, SILENT } from "../../logging/logger.ts";
import type { Accounts } from "../limiter/traffic.ts";
import type { Endpoint, HeaderFields } from "../endpoints/endpoint.ts";
import { type HttpExchange, openExchange } from "./exchange.ts";
import { redact, redactCut, secretsOf } from "../errors/redact.ts";
import type { FetchLike } from "./transport.ts";
import { SseDecoder } from "./sse.ts";
import { type FailureContext, redirectError, statusError } from "../errors/status-error.ts";
import type { Ask } from "../limiter/endpoint-limiter.ts";
import type { Timeouts } from "./timeouts.ts";

/** One call of the API, which may take several attempts. */
export interface ApiCall {
  /** Method of the API, such as `generateContent`. */
  readonly operation: string;
  readonly model?: string | undefined;
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below base URL and version, with its query. */
  readonly path: string;
  /** Whole address instead of the path, on the endpoint's own host: the key goes there. */
  readonly url?: string | undefined;
  /** Besides those that sign. */
  readonly headers?: HeaderFields | undefined;
  /** JSON, unless `headers` name another content type. */
  readonly body?: Uint8Array<ArrayBuffer> | undefined;
  /** The body is somebody else's memory, and holds for as long as the request goes on. @defaultValue false */
  readonly lent?: boolean | undefined;
}

/** Where an attempt goes and what it may use. */
export interface SendOptions {
  readonly endpoint: Endpoint;
  readonly fetch: FetchLike;
  readonly timeouts: Timeouts;
  readonly logger: Logger;
  readonly now: () => number;
  readonly signal?: AbortSignal | undefined;
  /** From 1. */
  readonly attempt: number;
  /** Says when the attempt may be sent. */
  readonly traffic: Accounts;
  /** What the traffic is asked with. */
  readonly ask: Ask;
}

/** An accepted attempt: its body is to be read, then {@link Sent.finish} called. */
export interface Sent {
  readonly exchange: HttpExchange;
  /** For errors found in the body. */
  readonly failure: FailureContext;
  /** Takes note of what an error says about waiting, and hides the key in what it quotes from the body. */
  clean(error: unknown): unknown;
  /** Logs text of the answer at trace level, without the key. */
  trace(text: string): void;
  /** Releases the exchange and its slot, and writes the one line about it. */
  finish(): void;
}

/** Longest part of an error's body that is read. */
const MAX_ERROR_BYTES = 256 * 1024;

/**
 * Signs and sends one attempt, as soon as the traffic lets it.
 *
 * @throws {ApiStatusError} For any status but success, redirects included.
 * @throws {TrafficLimitError} When it could not be sent at all.
 */
export async function send(call: ApiCall, options: SendOptions): Promise<Sent> {
  const { endpoint, logger, attempt, signal, traffic } = options;
  signal?.throwIfAborted();
  let auth = await endpoint.authHeaders();
  const entered = traffic.enter(endpoint, auth, call, options.ask);
  // Most need not wait, and lose no time over it.
  const pass = entered instanceof Promise ? await entered : entered;
  try {
    // A token may have run out meanwhile.
    if (pass !== entered) auth = await endpoint.authHeaders();
    const startedAt = performance.now();
    const secrets = secretsOf(auth);
    const url =
      call.url ?? [endpoint.baseUrl, endpoint.apiVersion, call.path].filter((piece) => piece !== "").join("/");
    const headers = { ...call.headers, ...auth };
    const facts = { operation: call.operation, model: call.model, attempt };
    const log = (status: number | undefined, bytesReceived: number): void =>
      logger.debug(
        {
          ...facts,
          status,
          ms: Math.round(performance.now() - startedAt),
          bytesSent: call.body?.byteLength ?? 0,
          bytesReceived,
          ...(pass.queuedMs > 0 && { queuedMs: Math.round(pass.queuedMs) }),
        },
        "request",
      );
    // An answer may have thousands of chunks.
    const isTraced = logger.trace !== SILENT.trace;
    if (isTraced && call.body && headers["content-type"] === undefined)
      logger.trace({ ...facts, body: lazyText(call.body.slice(), secrets) }, "request body");

    let exchange: HttpExchange;
    try {
      exchange = await openExchange({ method: call.method, url, headers, body: call.body, lent: call.lent }, options);
    } catch (error) {
      log(undefined, 0);
      throw error;
    }
    const failure: FailureContext = { headers: exchange.headers, url, secrets, now: options.now() };
    if (exchange.status < 200 || exchange.status >= 300) {
      try {
        const error = await refusal(exchange, failure);
        pass.learn(error);
        throw error;
      } finally {
        exchange.close();
        log(exchange.status, exchange.bytes);
      }
    }
    pass.accepted();
    // Also of an answer that nobody reads to its end.
    exchange.pass = pass;
    return {
      exchange,
      failure,
      clean(error) {
        pass.learn(error);
        return cleanShapeError(error, secrets);
      },
      trace: isTraced ? (text) => logger.trace({ ...facts, body: lazyText(text, secrets) }, "response body") : ignore,
      finish() {
        exchange.close();
        // First, since a logger may throw.
        pass.leave();
        log(exchange.status, exchange.bytes);
      },
    };
  } catch (error) {
    pass.leave();
    throw error;
  }
}

function ignore(): void {}

async function refusal(exchange: HttpExchange, failure: FailureContext): Promise<ApiStatusError> {
  if (exchange.redirected) return redirectError(exchange.status, exchange.headers.get("location"), failure);
  let text = "";
  try {
    text = await exchange.text(MAX_ERROR_BYTES, false);
  } catch (error) {
    // Of a body that breaks off, the status says enough.
    if (!(error instanceof ApiNetworkError)) throw error;
  }
  return statusError(exchange.status, /^\s*data:/.test(text) ? firstEvent(text) : text, failure);
}

function firstEvent(text: string): string {
  const decoder = new SseDecoder();
  return [...decoder.push(new TextEncoder().encode(text)), ...decoder.end()][0] ?? text;
}

function cleanShapeError(error: unknown, secrets: readonly string[]): unknown {
  if (!(error instanceof ApiShapeError)) return error;
  const excerpt = redactCut(error.excerpt, secrets);
  return excerpt === error.excerpt ? error : new ApiShapeError(error.message, error.path, excerpt);
}

/** A value that becomes text only if the logger really writes it. */
function lazyText(body: string | Uint8Array, secrets: readonly string[]): object {
  return { toJSON: () => redact(typeof body === "string" ? body : new TextDecoder().decode(body), secrets) };
}
