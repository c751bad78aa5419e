import type { HeaderFields } from "../endpoints/endpoint.ts";

/** `fetch`, or anything shaped like it (a recorder, an emulator in the same process). */
export type FetchLike = (input: string, init: RequestInit) => Promise<Response>;

/** One request, ready to be sent. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: HeaderFields;
  readonly body?: Uint8Array<ArrayBuffer> | undefined;
  /** The body is a view of a buffer that the next request reuses. @defaultValue false */
  readonly bodyIsView?: boolean | undefined;
  /** The request may arrive twice. A piece of an upload may not. @defaultValue false */
  readonly repeatable?: boolean | undefined;
}

/** Headers of an answer; `Headers` is one. */
export interface AnswerHeaders {
  /** @param name - In any letter case. */
  get(name: string): string | null;
  /** Visits all headers; a name may come several times. Absent: observers of the exchange see no headers. */
  forEach?(visit: (value: string, name: string) => void): void;
}

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** True even where the platform hides the status of a redirect. */
  readonly redirected: boolean;
}

/** Bytes of a body; no value at its end. A `ReadableStream`'s reader returns this shape. */
export interface BodyRead {
  readonly value?: Uint8Array | undefined;
}

/** A request in flight. The body of its answer has one reader, which makes one read at a time. */
export interface InFlightRequest {
  /** Rejects when there is no answer, and with the `reason` of a cancel. */
  readonly head: Promise<AnswerHead>;
  /** The next bytes of the body, decompressed. Rejects when the body breaks off. */
  read(): Promise<BodyRead>;
  /** Ends the request and releases its connection. A pending head or read settles: the head rejects with `reason`. */
  cancel(reason?: unknown): void;
}

/** Key under which a {@link FetchLike} may offer a cheaper way to send than `fetch`. Registered: the same in every copy of this module. */
export const SEND: unique symbol = Symbol.for("pollux.send");

/** Marks a {@link FetchLike} that needs no API key, because nothing leaves the process. Registered, like {@link SEND}. */
export const NEEDS_NO_KEY: unique symbol = Symbol.for("pollux.needsNoKey");

/** Starts to send a request. Does not throw: a failure rejects the head. */
export type Send = (request: HttpRequest) => InFlightRequest;

/** A fetch that offers {@link SEND} too. */
export interface Transport extends FetchLike {
  readonly [SEND]: Send;
}

/** A platform's alternative to its `fetch`. */
export interface PlatformTransport {
  /** For the log. */
  readonly name: string;
  /** Why the next request has to use `fetch`: something would observe the difference. Undefined if nothing would. */
  whyFetch(): string | undefined;
  /** The process's one sender. @param usesProxy - Uses the proxy in the environment, whether or not `fetch` does. */
  open(usesProxy: boolean): Send | Promise<Send>;
}
