import { ApiNetworkError, ApiShapeError, type ApiStatusError } from "../../errors/api-errors.ts";
import { MAX_TIMER_MS } from "../../internal/abort.ts";
import { type Logger, SILENT } from "../../logging/logger.ts";
import type { CallOptions, Timeouts } from "../client-options.ts";
import type { Endpoint, HeaderFields } from "../endpoints/endpoint.ts";
import { findSecrets } from "../secrets/header-secrets.ts";
import { redact } from "../secrets/redact.ts";
import { type FailureContext, networkError, redirectError, statusError, timeoutError } from "../errors/http-errors.ts";
import { Permit, type PermitRequest, type WaitNotice } from "../limiter/rate-gate.ts";
import type { Traffic } from "../limiter/traffic.ts";
import type { TransportChoice } from "./choose-transport.ts";
import { TappedExchange } from "./exchange-tap.ts";
import { readEvents } from "./sse.ts";
import type { WireTool } from "../types/declaration.ts";
import type { AnswerHead, AnswerHeaders, HttpRequest, InFlightRequest, Send } from "./transport.ts";

/** One call of the API, which may take several attempts. */
export interface ApiCall extends Pick<HttpRequest, "body" | "bodyIsView"> {
  /** Method of the API, such as `generateContent`. */
  readonly operation: string;
  readonly model?: string | undefined;
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below base URL and version, with its query. */
  readonly path: string;
  /** Full URL instead of the path, on the endpoint's own host: the key is sent there. */
  readonly url?: string | undefined;
  /** Sent in addition to the authentication headers. Without a content type among them, the body is JSON. */
  readonly headers?: HeaderFields | undefined;
  /** The tools in the body, which may hold keys. */
  readonly tools?: readonly WireTool[] | undefined;
  /** The call must not arrive twice, so nothing below the client's retries may repeat it either. @defaultValue false */
  readonly once?: boolean | undefined;
}

/** One attempt of a call. */
export interface Attempt {
  /** From 1. */
  readonly number: number;
  /** Announced time, in milliseconds since the epoch; absent for the first attempt. */
  readonly retryAt?: number | undefined;
}

/** Settings that all exchanges of a client share. */
export interface ExchangeSettings {
  readonly endpoint: Endpoint;
  readonly timeouts: Timeouts;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly traffic: Traffic;
  /** Group in the limiter's queue; takes precedence over a call's group. */
  readonly group: object | string | undefined;
  /** Longest wait that the service may ask for, in milliseconds. */
  readonly maxDelayMs: number;
  readonly transport: TransportChoice;
}

const MAX_ERROR_BYTES = 256 * 1024;

/** One attempt of a call, sent once the limiter permits it. Holds a slot, a timer, a listener and a connection until it is read or closed. */
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
  readonly #call: ApiCall;
  readonly #options: CallOptions;
  readonly #attempt: number;
  readonly #logger: Logger;
  #tapped: TappedExchange | undefined;
  #auth: HeaderFields = {};
  #foundSecrets: readonly string[] | undefined;
  #url = "";
  #permit: Permit | undefined;
  #request: InFlightRequest | undefined;
  #head: AnswerHead | undefined;
  /** When the request was sent, on the monotonic clock; 0 before. */
  #startedAt = 0;
  /** Start of the current wait for the service; undefined between two reads. */
  #waitingSince: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The abort or timeout that ended the exchange. */
  #stopped: { readonly reason: unknown } | undefined;
  #isOver = false;
  #isClosed = false;

  constructor(settings: ExchangeSettings, call: ApiCall, options: CallOptions, { number, retryAt }: Attempt) {
    this.#settings = settings;
    this.#call = call;
    this.#options = options;
    this.#attempt = number;
    this.#logger = options.logger ?? settings.logger;
    this.isTraced = this.#logger.trace !== SILENT.trace;
    this.signal = options.signal;
    this.group = settings.group ?? options.group;
    this.maxDelayMs = settings.maxDelayMs;
    this.retryAt = retryAt;
  }

  /** Sends the request and waits for a successful status. Throws a typed error for another status, a failure or a limit, or the signal's reason. */
  async open(): Promise<this> {
    const { endpoint, traffic } = this.#settings;
    this.signal?.throwIfAborted();
    // Only promises are awaited: the key, the permit and the transport are nearly always available at once.
    const auth = endpoint.authHeaders();
    this.#auth = isPromise(auth) ? await auth : auth;
    const permit = traffic.acquire(endpoint, this.#auth, this.#call, this);
    try {
      if (permit instanceof Permit) this.#permit = permit;
      else {
        this.#permit = await permit;
        this.#options.onQueued?.(this.#permit.queuedMs);
        // A token may have expired in the queue.
        this.#auth = await endpoint.authHeaders();
      }
      const send = this.#settings.transport(this.#logger);
      this.#head = await this.#send(typeof send === "function" ? send : await send).head;
    } catch (error) {
      const failure = this.#request === undefined ? error : this.#failed(error, "No response from");
      this.close();
      throw failure;
    }
    const { status } = this.#head;
    if (status >= 200 && status < 300) {
      this.#permit.accepted();
      const { budget } = this.#options;
      if (budget !== undefined) budget.accepted++;
      return this;
    }
    try {
      const error = await this.#refusal(this.#head);
      this.#permit.failed(error);
      this.#tapped?.failed(error);
      throw error;
    } finally {
      this.close();
    }
  }

  get headers(): AnswerHeaders {
    return this.#head?.headers ?? NO_HEADERS;
  }

  /** Texts that must not be shown, computed when first needed. */
  get #secrets(): readonly string[] {
    return (this.#foundSecrets ??= findSecrets(this.#auth, this.#call.tools));
  }

  get failure(): FailureContext {
    return { headers: this.headers, url: this.#url, secrets: this.#secrets, now: this.#settings.now() };
  }

  /** The next bytes; undefined at the end of the body, which frees the connection. */
  async read(): Promise<Uint8Array | undefined> {
    if (this.#request === undefined || this.#isOver) {
      if (this.#stopped !== undefined) throw this.#stopped.reason;
      return undefined;
    }
    this.#waitingSince ??= performance.now();
    let bytes: Uint8Array | undefined;
    try {
      bytes = (await this.#request.read()).value;
    } catch (error) {
      throw this.#failed(error, "The connection was lost while reading the response from");
    }
    // An abort or a timeout may have come first.
    if (this.#stopped !== undefined) throw this.#stopped.reason;
    if (bytes === undefined) {
      this.#end();
      this.#tapped?.completed();
      return undefined;
    }
    this.#waitingSince = undefined;
    this.bytes += bytes.byteLength;
    this.#tapped?.received(bytes);
    return bytes;
  }

  /** The rest of the body as text. @param whole - False returns the first `maxBytes` of a longer body instead of failing. */
  async text(maxBytes: number, whole = true): Promise<string> {
    const decoder = new TextDecoder();
    const pieces: string[] = [];
    for (let bytes = await this.read(); bytes; bytes = await this.read()) {
      pieces.push(decoder.decode(bytes, { stream: true }));
      if (this.bytes <= maxBytes) continue;
      this.#cancel();
      if (!whole) return pieces.join("");
      throw new ApiShapeError(
        `The response is larger than ${maxBytes} bytes; raise maxBufferBytes if answers can be that large.`,
        "$",
        pieces[0] ?? "",
      );
    }
    pieces.push(decoder.decode());
    return pieces.join("");
  }

  /** Logs text of the answer at trace level, without the key. */
  trace(text: string): void {
    if (this.isTraced) this.#logger.trace({ ...this.#facts(), body: this.#lazyText(text) }, "response body");
  }

  /** Reports an error to the limiter, and redacts the key in the error's excerpt of the body. */
  clean(error: unknown): unknown {
    this.#permit?.failed(error);
    this.#tapped?.failed(error);
    if (!(error instanceof ApiShapeError)) return error;
    const excerpt = redact(error.excerpt, this.#secrets, { truncated: true });
    return excerpt === error.excerpt ? error : new ApiShapeError(error.message, error.path, excerpt);
  }

  /** Cancels an unread body, releases everything, and logs the request. May be called more than once. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel();
    // Before the logger, which may throw.
    this.#permit?.release();
    this.#tapped?.close(this.#head);
    if (this.#request === undefined || this.#logger.debug === SILENT.debug) return;
    const queuedMs = this.#permit?.queuedMs ?? 0;
    this.#logger.debug(
      {
        ...this.#facts(),
        status: this.#head?.status,
        ms: Math.round(performance.now() - this.#startedAt),
        bytesSent: this.#call.body?.byteLength ?? 0,
        bytesReceived: this.bytes,
        ...(queuedMs > 0 && { queuedMs: Math.round(queuedMs) }),
      },
      "request",
    );
  }

  /** The signal was aborted. A method, because the signal would keep a closure alive together with its request. */
  handleEvent(): void {
    this.#stop(this.signal?.reason);
  }

  onWait(notice: WaitNotice): void {
    const { operation, model } = this.#call;
    this.#logger.info({ operation, model, ...notice }, "request held back");
    this.#options.onWait?.(notice);
  }

  #send(send: Send): InFlightRequest {
    this.signal?.throwIfAborted();
    const { method, path, url, body, bodyIsView, headers } = this.#call;
    const { baseUrl, apiVersion } = this.#settings.endpoint;
    this.#url = url ?? (apiVersion === "" ? `${baseUrl}/${path}` : `${baseUrl}/${apiVersion}/${path}`);
    this.#startedAt = performance.now();
    this.#waitingSince = this.#startedAt;
    const request = {
      method,
      url: this.#url,
      headers: this.#headers(),
      body,
      bodyIsView,
      // A piece of an upload must not arrive twice.
      repeatable: this.#call.once !== true && headers?.["x-goog-upload-command"] === undefined,
    };
    // Assigned at once: `#watch` cancels it if a limit has already passed.
    this.#request = send(request);
    const { budget, tap } = this.#options;
    if (budget !== undefined) budget.sent++;
    const facts = { operation: this.#call.operation, attempt: this.#attempt };
    if (tap !== undefined) this.#tapped = new TappedExchange(tap, facts, request, this.#auth, this.#secrets);
    this.signal?.addEventListener("abort", this);
    this.#watch();
    return this.#request;
  }

  #headers(): HeaderFields {
    const { body, headers: own } = this.#call;
    const headers: Record<string, string> = { ...own, ...this.#auth };
    if (body !== undefined) {
      if (this.isTraced && headers["content-type"] === undefined)
        this.#logger.trace({ ...this.#facts(), body: this.#lazyText(body.slice()) }, "request body");
      headers["content-type"] ??= "application/json";
    }
    const { totalMs } = this.#settings.timeouts;
    if (Number.isFinite(totalMs)) headers["x-server-timeout"] = String(Math.ceil(totalMs / 1000));
    return headers;
  }

  /** One timer for all limits: a read only notes the time, and the timer checks whether a limit has passed. */
  #watch(): void {
    const { firstByteMs, idleMs, totalMs } = this.#settings.timeouts;
    const now = performance.now();
    const leftMs = this.#startedAt + totalMs - now;
    if (leftMs <= 0) return this.#stop(timeoutError("total", totalMs));
    const kind = this.bytes === 0 ? "first-byte" : "idle";
    const limitMs = kind === "idle" ? idleMs : firstByteMs;
    const waitMs = (this.#waitingSince ?? now) + limitMs - now;
    if (waitMs <= 0) return this.#stop(timeoutError(kind, limitMs));
    // Not later than the idle limit, which begins with the first byte.
    const nextMs = Math.min(Math.ceil(Math.min(waitMs, idleMs, leftMs)), MAX_TIMER_MS);
    this.#timer = setTimeout(() => this.#watch(), nextMs);
  }

  async #refusal({ status, headers, redirected }: AnswerHead): Promise<ApiStatusError> {
    if (redirected) return redirectError(status, headers.get("location"), this.failure);
    let text = "";
    try {
      text = await this.text(MAX_ERROR_BYTES, false);
    } catch (error) {
      // When the body breaks off, the status is enough.
      if (!(error instanceof ApiNetworkError)) throw error;
    }
    const [body = text] = /^\s*(?:event|data):/.test(text) ? readEvents(text) : [];
    return statusError(status, body, this.failure);
  }

  #facts(): object {
    const { operation, model } = this.#call;
    return { operation, model, attempt: this.#attempt };
  }

  /** Redacted text that is computed only when the logger writes it. */
  #lazyText(body: string | Uint8Array): object {
    const secrets = this.#secrets;
    return { toJSON: () => redact(typeof body === "string" ? body : new TextDecoder().decode(body), secrets) };
  }

  #failed(error: unknown, what: string): unknown {
    if (this.#stopped !== undefined) return this.#stopped.reason;
    this.#cancel();
    const failure = networkError(error, this.#url, what, this.#secrets);
    this.#tapped?.broke(failure);
    return failure;
  }

  /** Ends the exchange for an abort or a timeout, whether or not anything reads it. */
  #stop(reason: unknown): void {
    this.#stopped = { reason };
    if (this.signal?.aborted === true) this.#tapped?.failed(reason);
    else this.#tapped?.broke(reason);
    this.#end();
    this.#request?.cancel(reason);
    this.#permit?.release();
  }

  #cancel(): void {
    if (this.#isOver) return;
    this.#end();
    this.#request?.cancel();
  }

  /** Removes the timer and the listener. */
  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.signal?.removeEventListener("abort", this);
  }
}

/** Checks the shape, not the class: where `Promise` is patched, async functions return a different class. */
function isPromise<T extends object>(value: T | Promise<T>): value is Promise<T> {
  return "then" in value && typeof value.then === "function";
}

// Not the platform's own class: creating one loads all of its fetch.
const NO_HEADERS: AnswerHeaders = { get: () => null };
