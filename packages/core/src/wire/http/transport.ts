import type { HeaderFields } from "../endpoints/endpoint.ts";

/** The only way out: `fetch`, or anything shaped like it (a recorder, an emulator in the same process). */
export type FetchLike = (input: string, init: RequestInit) => Promise<Response>;

/** One request, ready to be sent. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: HeaderFields;
  readonly body?: Uint8Array<ArrayBuffer> | undefined;
  /** The body is a view of memory that the next request will use again: it is valid while this one goes on. @defaultValue false */
  readonly bodyIsView?: boolean | undefined;
  /** Does no harm when it arrives twice, as a question does; a piece of an upload is lost track of. @defaultValue false */
  readonly repeatable?: boolean | undefined;
}

/** Headers of an answer; names in any case. */
export type AnswerHeaders = Pick<Headers, "get">;

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** True for an answer that points elsewhere, also where the platform hides its status. */
  readonly redirected: boolean;
}

/** Bytes of a body; no value at its end. What the reader of a `ReadableStream` gives is one. */
export interface BodyRead {
  readonly value?: Uint8Array | undefined;
}

/** A request on its way. The body of its answer is read by one reader, one read at a time. */
export interface InFlightRequest {
  /** Rejects when no answer comes, and with the reason of a cancel. */
  readonly head: Promise<AnswerHead>;
  /** The next bytes of the body, decompressed. Rejects when the body breaks off. */
  read(): Promise<BodyRead>;
  /** Ends everything and gives the connection back. A head or a read that waits settles: the head rejects with `reason`. */
  cancel(reason?: unknown): void;
}

/**
 * Key under which a {@link FetchLike} may offer a narrower way in than `fetch`: no `Request`, `Response`, `Headers` or
 * `ReadableStream` is made. Registered, so that it is the same in every copy of this module.
 */
export const SEND: unique symbol = Symbol.for("pollux.send");

/** A fetch that has the narrower way in as well. */
export interface Transport extends FetchLike {
  /** Starts to send. Does not throw: what goes wrong rejects the head. */
  readonly [SEND]: (request: HttpRequest) => InFlightRequest;
}

/** What a platform can send by besides its `fetch`. */
export interface PlatformTransport {
  /** For the log. */
  readonly name: string;
  /** Why a request that is sent now should go by `fetch`: somebody could tell the difference. Undefined where nobody could. */
  whyFetch(): string | undefined;
  /**
   * The transport, one for the whole process.
   *
   * @param usesProxy - Through the proxy that the environment names, whatever `fetch` does.
   */
  open(usesProxy: boolean): Transport | Promise<Transport>;
}

/** Sends by a transport, or by a plain `fetch`. */
export function sendRequest(request: HttpRequest, fetch: FetchLike): InFlightRequest {
  return isTransport(fetch) ? fetch[SEND](request) : new FetchRequest(request, fetch);
}

function isTransport(fetch: FetchLike): fetch is Transport {
  return SEND in fetch;
}

/** A request sent by a `fetch`, which need not listen to its signal. */
export class FetchRequest implements InFlightRequest {
  readonly head: Promise<AnswerHead>;
  readonly #controller = new AbortController();
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #rejectHead: (reason: unknown) => void = ignore;

  constructor(request: HttpRequest, fetch: FetchLike) {
    this.head = new Promise((resolve, reject) => {
      this.#rejectHead = reject;
      this.#send(request, fetch).then(resolve, reject);
    });
  }

  read(): Promise<BodyRead> {
    return this.#reader === undefined ? NO_BODY : this.#reader.read();
  }

  cancel(reason?: unknown): void {
    this.#rejectHead(reason);
    this.#controller.abort(reason);
    // Settles a read that waits, also when the body does not know about the signal.
    this.#reader?.cancel().catch(ignore);
  }

  async #send({ method, url, headers, body, bodyIsView }: HttpRequest, fetch: FetchLike): Promise<AnswerHead> {
    const { signal } = this.#controller;
    const init: RequestInit = { method, headers, redirect: "manual", signal };
    // Nobody knows for how long a fetch, or whoever watches it, holds on to a body.
    if (body) init.body = bodyIsView === true ? body.slice() : body;
    const response = await fetch(url, init);
    // Nobody will read what comes too late.
    if (signal.aborted) response.body?.cancel().catch(ignore);
    else this.#reader = response.body?.getReader();
    const { status } = response;
    return {
      status,
      headers: response.headers,
      redirected: response.type === "opaqueredirect" || (status >= 300 && status < 400),
    };
  }
}

const NO_BODY: Promise<BodyRead> = Promise.resolve({});

function ignore(): void {}
