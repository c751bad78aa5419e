import { AgentError } from "../../errors/agent-error.ts";
import { textOf } from "../../internal/text.ts";
import type { HeaderFields } from "../endpoints/endpoint.ts";
import { type BodyScrubber, MARK, redact, redactPieces } from "../secrets/redact.ts";
import type { AnswerHead, AnswerHeaders, HttpRequest } from "./transport.ts";

/** One HTTP request and its answer as they crossed the wire, without keys. */
export interface HttpExchange {
  /** Method of the API, such as `streamGenerateContent`. */
  readonly operation: string;
  /** From 1; a retry of the same request has the next number. */
  readonly attempt: number;
  /** When it was sent, in milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly method: string;
  readonly url: string;
  /** Headers that the client set, by lower-case name. Values that authenticate are `[redacted]`. */
  readonly requestHeaders: HeaderFields;
  /** Empty without one. Secrets are overwritten in place, so its length is that of the sent body. Do not change it. */
  readonly body: Uint8Array;
  /** HTTP status; absent without an answer. */
  readonly status?: number | undefined;
  /** By lower-case name; absent without an answer. */
  readonly responseHeaders?: HeaderFields | undefined;
  /** The answer's body, read by read, decompressed. A character that two reads share belongs to the second. */
  readonly chunks: readonly ExchangeChunk[];
  /** `complete`: the client read the body to its end. `failed`: the body broke off, or a time limit passed. `cancelled`: the client stopped reading. */
  readonly ended: "complete" | "failed" | "cancelled";
  /** Why the call failed. A complete answer may have one: a status, or an error in the body. */
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string | undefined } | undefined;
}

/** The text from one read of an answer's body. */
export interface ExchangeChunk {
  /** Milliseconds since the request was sent. */
  readonly ms: number;
  readonly text: string;
}

/** Receives the HTTP exchanges of calls. */
export interface ExchangeTap {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** For the bodies of the requests. */
  readonly scrubber: BodyScrubber;
  /** Called once for each attempt, when it is over; must not throw. */
  exchanged(exchange: HttpExchange): void;
}

/** Follows one attempt for a tap, from when it is sent. */
export class TappedExchange {
  readonly #tap: ExchangeTap;
  readonly #secrets: readonly string[];
  readonly #request: Omit<HttpExchange, "endedAt" | "chunks" | "ended">;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #chunks: ExchangeChunk[] = [];
  /** On the monotonic clock. */
  readonly #sentAt = performance.now();
  #error: unknown;
  #ended: HttpExchange["ended"] = "cancelled";

  /** @param auth - The headers that authenticate. @param found - Secrets to redact. */
  constructor(
    tap: ExchangeTap,
    call: Pick<HttpExchange, "operation" | "attempt">,
    { method, url, headers, body = NO_BODY }: HttpRequest,
    auth: HeaderFields,
    found: readonly string[],
  ) {
    this.#tap = tap;
    const secrets = (this.#secrets = tap.scrubber.use(found));
    const startedAt = tap.now();
    const requestHeaders: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers))
      requestHeaders[name.toLowerCase()] = Object.hasOwn(auth, name) ? MARK : redact(value, secrets);
    const clean = { method, url: redact(url, secrets), requestHeaders, body: tap.scrubber.clean(body) };
    this.#request = { ...call, startedAt, ...clean };
  }

  received(bytes: Uint8Array): void {
    this.#add(this.#decoder.decode(bytes, { stream: true }));
  }

  /** The body was read to its end. */
  completed(): void {
    this.#ended = "complete";
  }

  /** The call failed, whether or not the body is complete. */
  failed(error: unknown): void {
    this.#error = error;
  }

  /** The connection was lost, or a time limit passed. */
  broke(error: unknown): void {
    this.failed(error);
    this.#ended = "failed";
  }

  /** Reports the exchange. Called once. */
  close(head: AnswerHead | undefined): void {
    this.#add(this.#decoder.decode());
    const pieces = this.#chunks.map(({ text }) => text);
    const texts = redactPieces(pieces, this.#secrets);
    this.#tap.exchanged({
      ...this.#request,
      endedAt: this.#tap.now(),
      ...(head !== undefined && { status: head.status, responseHeaders: this.#headers(head.headers) }),
      chunks: this.#chunks.map(({ ms }, index) => ({ ms, text: texts[index] ?? "" })),
      ended: this.#ended,
      ...(this.#error !== undefined && { error: this.#describe(this.#error) }),
    });
  }

  #add(text: string): void {
    if (text !== "") this.#chunks.push({ ms: Math.round((performance.now() - this.#sentAt) * 10) / 10, text });
  }

  #headers(headers: AnswerHeaders): HeaderFields {
    const found: Record<string, string> = {};
    headers.forEach?.((value, raw) => {
      const name = raw.toLowerCase();
      const clean = name === "set-cookie" ? MARK : redact(value, this.#secrets);
      found[name] = Object.hasOwn(found, name) && clean !== MARK ? `${found[name]}, ${clean}` : clean;
    });
    return found;
  }

  #describe(error: unknown): HttpExchange["error"] {
    const name = error instanceof Error ? textOf(error.name) : "Error";
    const message = redact(textOf(error instanceof Error ? error.message : error), this.#secrets);
    return { name, message, ...(error instanceof AgentError && { code: error.code }) };
  }
}

const NO_BODY = new Uint8Array();
