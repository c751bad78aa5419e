import { AgentError } from "../errors/agent-error.ts";
import { ApiNetworkError, ApiShapeError } from "../errors/api-errors.ts";
import { abortable } from "../internal/abortable.ts";
import type { HeaderFields } from "./endpoint.ts";
import { hostAndPath } from "./status-error.ts";
import { type Timeouts, Watchdog } from "./watchdog.ts";

/** The only way out: `fetch`, or anything shaped like it (a recorder, an emulator in the same process). */
export type FetchLike = (input: string, init: RequestInit) => Promise<Response>;

/** One request, ready to be sent. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers: HeaderFields;
  readonly body?: Uint8Array<ArrayBuffer> | undefined;
}

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
export async function openExchange(request: HttpRequest, options: HttpOptions): Promise<HttpExchange> {
  const { signal, timeouts } = options;
  signal?.throwIfAborted();
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const watchdog = new Watchdog(timeouts, (error) => controller.abort(error));
  const release = (): void => {
    watchdog.stop();
    signal?.removeEventListener("abort", onAbort);
  };
  const answer = send(request, timeouts, options.fetch, controller.signal);
  try {
    return new HttpExchange(await abortable(answer, controller.signal), request.url, controller, watchdog, release);
  } catch (error) {
    release();
    if (!controller.signal.aborted) throw networkError(error, request.url, "No answer came from");
    // A fetch that does not listen to the signal may still answer; nobody will read that.
    answer.then((late) => late.body?.cancel(), ignore).catch(ignore);
    throw controller.signal.reason;
  }
}

async function send(
  request: HttpRequest,
  timeouts: Timeouts,
  fetch: FetchLike,
  signal: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = { ...request.headers };
  if (request.body) headers["content-type"] ??= "application/json";
  if (Number.isFinite(timeouts.totalMs)) headers["x-server-timeout"] = String(Math.ceil(timeouts.totalMs / 1000));
  return await fetch(request.url, {
    method: request.method,
    headers,
    redirect: "manual",
    signal,
    ...(request.body && { body: request.body }),
  });
}

/** An answer whose body is being read. */
export class HttpExchange {
  readonly status: number;
  readonly headers: Headers;
  /** True for an answer that points elsewhere, also where the platform hides its status. */
  readonly redirected: boolean;
  /** Bytes of the body read so far, after decompression. */
  bytes = 0;
  readonly #url: string;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #controller: AbortController;
  readonly #watchdog: Watchdog;
  readonly #release: () => void;
  /** Nothing is left to cancel. */
  #ended = false;
  #closed = false;

  constructor(response: Response, url: string, controller: AbortController, watchdog: Watchdog, release: () => void) {
    this.status = response.status;
    this.headers = response.headers;
    this.redirected = response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400);
    this.#url = url;
    this.#reader = response.body?.getReader();
    this.#controller = controller;
    this.#watchdog = watchdog;
    this.#release = release;
    // Settles a read that waits, also when the body does not know about the signal.
    controller.signal.addEventListener("abort", this.#cancel, { once: true });
  }

  /** The next bytes; undefined at the end of the body, after which everything is released. */
  async read(): Promise<Uint8Array | undefined> {
    const { signal } = this.#controller;
    this.#watchdog.waiting();
    let result: ReadableStreamReadResult<Uint8Array> | undefined;
    try {
      result = await this.#reader?.read();
    } catch (error) {
      this.close();
      if (signal.aborted) throw signal.reason;
      throw networkError(error, this.#url, "The connection broke while reading the answer of");
    }
    if (signal.aborted) {
      this.close();
      throw signal.reason;
    }
    if (result === undefined || result.done) {
      this.#ended = true;
      this.close();
      return undefined;
    }
    this.#watchdog.arrived();
    this.bytes += result.value.byteLength;
    return result.value;
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
    this.#closed = true;
    this.#release();
    this.#controller.signal.removeEventListener("abort", this.#cancel);
    this.#cancel();
  }

  readonly #cancel = (): void => {
    if (!this.#ended) this.#reader?.cancel().catch(ignore);
  };
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

function ignore(): void {}
