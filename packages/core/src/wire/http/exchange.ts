import { AgentError } from "../../errors/agent-error.ts";
import { ApiNetworkError, ApiShapeError } from "../../errors/api-errors.ts";
import {
  type AnswerHead,
  type AnswerHeaders,
  type FetchLike,
  FetchSending,
  type HttpRequest,
  isTransport,
  SEND,
  type Sending,
} from "./transport.ts";
import { hostAndPath } from "../errors/status-error.ts";
import { type Timeouts, Watchdog } from "./timeouts.ts";

/** What {@link openExchange} needs besides the request. */
export interface HttpOptions {
  readonly fetch: FetchLike;
  readonly timeouts: Timeouts;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends a request and waits for the head of the answer, whatever its status. Redirects are not followed.
 *
 * @returns The exchange, which holds a timer and a connection until its body is read or {@link HttpExchange.close} is called.
 * @throws {ApiNetworkError} When no answer comes.
 * @throws {ApiTimeoutError} When a limit passes. An abort throws the signal's own reason.
 */
export async function openExchange(
  request: HttpRequest,
  { fetch, timeouts, signal }: HttpOptions,
): Promise<HttpExchange> {
  signal?.throwIfAborted();
  const headers: Record<string, string> = { ...request.headers };
  if (request.body) headers["content-type"] ??= "application/json";
  if (Number.isFinite(timeouts.totalMs)) headers["x-server-timeout"] = String(Math.ceil(timeouts.totalMs / 1000));
  const repeatable = headers["x-goog-upload-command"] === undefined;
  const signed: HttpRequest = {
    method: request.method,
    url: request.url,
    headers,
    body: request.body,
    lent: request.lent,
    repeatable,
  };
  const sending = isTransport(fetch) ? fetch[SEND](signed) : new FetchSending(signed, fetch);
  const exchange = new HttpExchange(sending, request.url, timeouts, signal);
  await exchange.opened();
  return exchange;
}

/** An answer whose body is being read. */
export class HttpExchange {
  /** Bytes of the body read so far, after decompression. */
  bytes = 0;
  /**
   * Left when an abort or a limit ends it, whether anybody reads or not. An object and no closure: one that captured its request
   * kept 8 KB of each request alive until the next full garbage collection.
   */
  pass: { leave(): void } | undefined;
  readonly #url: string;
  readonly #sending: Sending;
  readonly #signal: AbortSignal | undefined;
  readonly #watchdog: Watchdog;
  #head: AnswerHead | undefined;
  /** Why it was ended from this side: an abort or a limit. */
  #stopped: { readonly reason: unknown } | undefined;
  #closed = false;

  constructor(sending: Sending, url: string, timeouts: Timeouts, signal: AbortSignal | undefined) {
    this.#sending = sending;
    this.#url = url;
    this.#signal = signal;
    this.#watchdog = new Watchdog(timeouts, this.#stop);
    signal?.addEventListener("abort", this.#onAbort);
  }

  get status(): number {
    return this.#head?.status ?? 0;
  }

  get headers(): AnswerHeaders {
    return this.#head?.headers ?? NO_HEADERS;
  }

  /** True for an answer that points elsewhere, also where the platform hides its status. */
  get redirected(): boolean {
    return this.#head?.redirected ?? false;
  }

  /** Waits for the head; nothing else may be asked before. */
  async opened(): Promise<void> {
    try {
      this.#head = await this.#sending.head;
    } catch (error) {
      throw this.#failed(error, "No answer came from");
    }
  }

  /** The next bytes; undefined at the end of the body, after which everything is released. */
  async read(): Promise<Uint8Array | undefined> {
    this.#watchdog.waiting();
    let bytes: Uint8Array | undefined;
    try {
      bytes = await this.#sending.read();
    } catch (error) {
      throw this.#failed(error, "The connection broke while reading the answer of");
    }
    if (this.#stopped) throw this.#stopped.reason;
    if (bytes === undefined) {
      this.#release();
      return undefined;
    }
    this.#watchdog.arrived();
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
      this.close();
      if (!whole) return pieces.join("");
      throw new ApiShapeError(`The answer is larger than ${maxBytes} bytes.`, "$", pieces[0] ?? "");
    }
    pieces.push(decoder.decode());
    return pieces.join("");
  }

  /** Stops reading and gives the connection, the timer and the listener back. May be called more than once. */
  close(): void {
    if (this.#closed) return;
    this.#release();
    this.#sending.cancel();
  }

  #failed(error: unknown, what: string): unknown {
    if (this.#stopped) return this.#stopped.reason;
    this.close();
    return networkError(error, this.#url, what);
  }

  readonly #onAbort = (): void => this.#stop(this.#signal?.reason);

  readonly #stop = (reason: unknown): void => {
    this.#stopped = { reason };
    this.#release();
    this.#sending.cancel(reason);
    this.pass?.leave();
  };

  #release(): void {
    this.#closed = true;
    this.#watchdog.stop();
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}

// Not the platform's own: making one loads all of its fetch.
const NO_HEADERS: AnswerHeaders = { get: () => null };

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
