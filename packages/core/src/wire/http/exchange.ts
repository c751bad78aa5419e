import { AgentError } from "../../errors/agent-error.ts";
import { ApiNetworkError, ApiShapeError, type ApiStatusError } from "../../errors/api-errors.ts";
import { type Logger, SILENT } from "../../logging/logger.ts";
import type { CallOptions } from "../client-options.ts";
import type { Endpoint, HeaderFields } from "../endpoints/endpoint.ts";
import { redact, redactCut, secretsOf } from "../errors/redact.ts";
import { type FailureContext, hostAndPath, redirectError, statusError } from "../errors/status-error.ts";
import type { Permit, PermitRequest, WaitNotice } from "../limiter/endpoint-limiter.ts";
import type { TrafficLimiter } from "../limiter/traffic.ts";
import { SseDecoder } from "./sse.ts";
import { type Timeouts, Watchdog } from "./timeouts.ts";
import { type AnswerHead, type AnswerHeaders, type FetchLike, type InFlightRequest, sendRequest } from "./transport.ts";

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
  /** The body is a view of memory that the next request will use again: it is valid while this one goes on. @defaultValue false */
  readonly bodyIsView?: boolean | undefined;
}

/** What all exchanges of a client have in common. */
export interface ExchangeSettings {
  readonly endpoint: Endpoint;
  readonly timeouts: Timeouts;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly limiter: TrafficLimiter;
  /** Whose requests these are in the queue of `limiter`, whatever a call says. */
  readonly group: object | string | undefined;
  /** Longest wait that the service may ask for, in milliseconds. */
  readonly maxDelayMs: number;
  /** What the next request goes out by. */
  fetch(logger: Logger): FetchLike | Promise<FetchLike>;
}

/** Longest part of an error's body that is read. */
const MAX_ERROR_BYTES = 256 * 1024;

/**
 * One attempt of a call: signed, sent as soon as the traffic lets it, and its answer's body to be read. Redirects are not
 * followed. It holds a slot, a timer, a listener and a connection until the body was read or it is closed.
 */
export class Exchange implements PermitRequest {
  /** Bytes of the body read so far, after decompression. */
  bytes = 0;
  /** False when {@link Exchange.trace} does nothing. */
  readonly isTraced: boolean;
  readonly signal: AbortSignal | undefined;
  readonly group: object | string | undefined;
  readonly maxDelayMs: number;
  readonly retryAt: number | undefined;
  readonly #settings: ExchangeSettings;
  readonly #options: CallOptions;
  readonly #logger: Logger;
  readonly #facts: { readonly operation: string; readonly model: string | undefined; readonly attempt: number };
  #bytesSent = 0;
  #startedAt: number | undefined;
  #auth: HeaderFields = {};
  #url = "";
  #permit: Permit | undefined;
  #request: InFlightRequest | undefined;
  #head: AnswerHead | undefined;
  #watchdog: Watchdog | undefined;
  /** Why it was ended from this side: an abort or a limit. */
  #stopped: { readonly reason: unknown } | undefined;
  #isOver = false;
  #isClosed = false;

  /**
   * @param attempt - From 1.
   * @param retryAt - When the caller was told that it would be sent, in milliseconds since the epoch.
   */
  constructor(
    settings: ExchangeSettings,
    call: ApiCall,
    options: CallOptions,
    attempt: number,
    retryAt: number | undefined,
  ) {
    this.#settings = settings;
    this.#options = options;
    this.#logger = options.logger ?? settings.logger;
    this.isTraced = this.#logger.trace !== SILENT.trace;
    this.#facts = { operation: call.operation, model: call.model, attempt };
    this.signal = options.signal;
    this.group = settings.group ?? options.group;
    this.maxDelayMs = settings.maxDelayMs;
    this.retryAt = retryAt;
  }

  /**
   * Sends the request and waits for an answer that took it.
   *
   * @throws {ApiStatusError} For any status but success, redirects included.
   * @throws {ApiNetworkError} When no answer comes.
   * @throws {ApiTimeoutError} When a limit passes. An abort throws the signal's own reason.
   * @throws {TrafficLimitError} When it could not be sent at all.
   */
  async open(call: ApiCall): Promise<this> {
    const { endpoint, limiter, timeouts } = this.#settings;
    this.signal?.throwIfAborted();
    this.#auth = await endpoint.authHeaders();
    const acquired = limiter.acquire(endpoint, this.#auth, call, this);
    // Most need not wait, and lose no time over it.
    if (!(acquired instanceof Promise)) this.#permit = acquired;
    else {
      this.#permit = await acquired;
      try {
        // A token may have run out meanwhile.
        this.#auth = await endpoint.authHeaders();
      } catch (error) {
        this.#permit.release();
        throw error;
      }
    }
    try {
      const chosen = this.#settings.fetch(this.#logger);
      const fetch = chosen instanceof Promise ? await chosen : chosen;
      this.signal?.throwIfAborted();
      this.#startedAt = performance.now();
      this.#url = call.url ?? addressOf(endpoint, call.path);
      const request = {
        method: call.method,
        url: this.#url,
        headers: this.#headers(call, timeouts),
        body: call.body,
        bodyIsView: call.bodyIsView,
        // A piece of an upload is lost track of when it arrives twice.
        repeatable: call.headers?.["x-goog-upload-command"] === undefined,
      };
      this.#request = sendRequest(request, fetch);
      this.#watchdog = new Watchdog(timeouts, this);
      this.signal?.addEventListener("abort", this);
      try {
        this.#head = await this.#request.head;
      } catch (error) {
        throw this.#failed(error, "No response from");
      }
    } catch (error) {
      this.close();
      throw error;
    }
    const { status } = this.#head;
    if (status >= 200 && status < 300) {
      this.#permit.accepted();
      return this;
    }
    try {
      const error = await this.#refusal();
      this.#permit.failed(error);
      throw error;
    } finally {
      this.close();
    }
  }

  get status(): number {
    return this.#head?.status ?? 0;
  }

  get headers(): AnswerHeaders {
    return this.#head?.headers ?? NO_HEADERS;
  }

  /** For errors found in the body. */
  get failure(): FailureContext {
    return { headers: this.headers, url: this.#url, secrets: secretsOf(this.#auth), now: this.#settings.now() };
  }

  /** The next bytes; undefined at the end of the body, after which the connection is free again. */
  async read(): Promise<Uint8Array | undefined> {
    if (this.#request === undefined || this.#isOver) return this.#readNothing();
    this.#watchdog?.waiting();
    let bytes: Uint8Array | undefined;
    try {
      bytes = (await this.#request.read()).value;
    } catch (error) {
      throw this.#failed(error, "The connection was lost while reading the response from");
    }
    // It may have been ended meanwhile.
    if (this.#stopped !== undefined) throw this.#stopped.reason;
    if (bytes === undefined) {
      this.#end();
      return undefined;
    }
    this.#watchdog?.arrived();
    this.bytes += bytes.byteLength;
    return bytes;
  }

  /**
   * The rest of the body as text.
   *
   * @param whole - False gives the first `maxBytes` of a longer body instead of failing.
   * @throws {ApiShapeError} When the body is longer than `maxBytes`.
   */
  async text(maxBytes: number, whole = true): Promise<string> {
    const decoder = new TextDecoder();
    const pieces: string[] = [];
    for (let bytes = await this.read(); bytes; bytes = await this.read()) {
      pieces.push(decoder.decode(bytes, { stream: true }));
      if (this.bytes <= maxBytes) continue;
      this.#cancel();
      if (!whole) return pieces.join("");
      throw new ApiShapeError(`The response is larger than ${maxBytes} bytes.`, "$", pieces[0] ?? "");
    }
    pieces.push(decoder.decode());
    return pieces.join("");
  }

  /** Logs text of the answer at trace level, without the key. */
  trace(text: string): void {
    if (this.isTraced)
      this.#logger.trace({ ...this.#facts, body: lazyText(text, secretsOf(this.#auth)) }, "response body");
  }

  /** Takes note of what an error says about waiting, and hides the key in what it quotes from the body. */
  clean(error: unknown): unknown {
    this.#permit?.failed(error);
    if (!(error instanceof ApiShapeError)) return error;
    const excerpt = redactCut(error.excerpt, secretsOf(this.#auth));
    return excerpt === error.excerpt ? error : new ApiShapeError(error.message, error.path, excerpt);
  }

  /** Stops reading, gives back all that it holds, and writes the one line about it. May be called more than once. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel();
    // First, since a logger may throw.
    this.#permit?.release();
    if (this.#startedAt === undefined) return;
    const queuedMs = this.#permit?.queuedMs ?? 0;
    this.#logger.debug(
      {
        ...this.#facts,
        status: this.#head?.status,
        ms: Math.round(performance.now() - this.#startedAt),
        bytesSent: this.#bytesSent,
        bytesReceived: this.bytes,
        ...(queuedMs > 0 && { queuedMs: Math.round(queuedMs) }),
      },
      "request",
    );
  }

  /** Ends it because of an abort or a limit, whether anybody reads or not. */
  stop(reason: unknown): void {
    this.#stopped = { reason };
    this.#end();
    this.#request?.cancel(reason);
    this.#permit?.release();
  }

  /** The signal was aborted. A method and no closure, of which each would keep its request alive for long. */
  handleEvent(): void {
    this.stop(this.signal?.reason);
  }

  onWait(notice: WaitNotice): void {
    const { operation, model } = this.#facts;
    this.#logger.info({ operation, model, ...notice }, "request held back");
    this.#options.onWait?.(notice);
  }

  #headers(call: ApiCall, { totalMs }: Timeouts): HeaderFields {
    const headers: Record<string, string> = { ...call.headers, ...this.#auth };
    if (call.body !== undefined) {
      this.#bytesSent = call.body.byteLength;
      if (this.isTraced && headers["content-type"] === undefined)
        this.#logger.trace(
          { ...this.#facts, body: lazyText(call.body.slice(), secretsOf(this.#auth)) },
          "request body",
        );
      headers["content-type"] ??= "application/json";
    }
    if (Number.isFinite(totalMs)) headers["x-server-timeout"] = String(Math.ceil(totalMs / 1000));
    return headers;
  }

  async #refusal(): Promise<ApiStatusError> {
    if (this.#head?.redirected === true) return redirectError(this.status, this.headers.get("location"), this.failure);
    let text = "";
    try {
      text = await this.text(MAX_ERROR_BYTES, false);
    } catch (error) {
      // Of a body that breaks off, the status says enough.
      if (!(error instanceof ApiNetworkError)) throw error;
    }
    return statusError(this.status, /^\s*data:/.test(text) ? firstEvent(text) : text, this.failure);
  }

  /** What a read gives after the end. */
  #readNothing(): undefined {
    if (this.#stopped !== undefined) throw this.#stopped.reason;
  }

  #failed(error: unknown, what: string): unknown {
    if (this.#stopped !== undefined) return this.#stopped.reason;
    this.#cancel();
    return networkError(error, this.#url, what);
  }

  #cancel(): void {
    if (this.#isOver) return;
    this.#end();
    this.#request?.cancel();
  }

  /** Leaves no timer and no listener. */
  #end(): void {
    this.#isOver = true;
    this.#watchdog?.end();
    this.signal?.removeEventListener("abort", this);
  }
}

// Not the platform's own: making one loads all of its fetch.
const NO_HEADERS: AnswerHeaders = { get: () => null };

function addressOf({ baseUrl, apiVersion }: Endpoint, path: string): string {
  return apiVersion === "" ? `${baseUrl}/${path}` : `${baseUrl}/${apiVersion}/${path}`;
}

function firstEvent(text: string): string {
  const decoder = new SseDecoder();
  return [...decoder.push(new TextEncoder().encode(text)), ...decoder.end()][0] ?? text;
}

/** A value that becomes text only if the logger really writes it. */
function lazyText(body: string | Uint8Array, secrets: readonly string[]): object {
  return { toJSON: () => redact(typeof body === "string" ? body : new TextDecoder().decode(body), secrets) };
}

function networkError(error: unknown, url: string, what: string): Error {
  if (error instanceof AgentError) return error;
  const reason = [error, error instanceof Error ? error.cause : undefined]
    .map((cause) =>
      cause instanceof Error ? ("code" in cause && typeof cause.code === "string" && cause.code) || cause.message : "",
    )
    .filter((text) => text !== "");
  const why = reason.length > 0 ? ` (${reason.join(": ")})` : "";
  return new ApiNetworkError(
    `${what} ${hostAndPath(url) ?? "the endpoint"}${why}; check the network and the base URL.`,
    { cause: error },
  );
}
