import { platformTransport } from "#platform-transport";
import { ConfigurationError } from "../../errors/agent-error.ts";
import { type Environment, processEnvironment } from "../../internal/environment.ts";
import type { Logger } from "../../logging/logger.ts";
import {
  type AnswerHead,
  type BodyRead,
  type FetchLike,
  type HttpRequest,
  type InFlightRequest,
  type Send,
  SEND,
  type Transport,
} from "./transport.ts";

const NAMES = ["auto", "fetch", "node"] as const;

/** The HTTP client of requests; see `GeminiClientOptions.httpClient`. */
export type HttpClientName = (typeof NAMES)[number];

/** Environment variable that names the HTTP client when the option is absent. */
const VARIABLE = "POLLUX_HTTP_CLIENT";

/** Returns the sender of the next request. @throws {ConfigurationError} For `node` on a platform without it. */
export type TransportChoice = (logger: Logger) => Send | Promise<Send>;

/** Chooses a sender for each request, and logs a changed choice. @throws {ConfigurationError} For an unknown name, or one besides a `fetch`. */
export function chooseTransport(
  fetch: FetchLike | Transport | undefined,
  httpClient: HttpClientName | undefined,
  env: Environment = processEnvironment(),
): TransportChoice {
  if (fetch !== undefined && httpClient !== undefined && httpClient !== "auto")
    throw new ConfigurationError(`httpClient: "${httpClient}" and fetch are mutually exclusive: pass one of them.`);
  const wanted = httpClient ?? (env[VARIABLE] || "auto");
  const name = NAMES.find((known) => known === wanted);
  if (name === undefined)
    throw new ConfigurationError(
      `${httpClient === undefined ? VARIABLE : "httpClient"} must be "auto", "fetch" or "node".`,
    );
  if (fetch !== undefined) {
    const given: Send = SEND in fetch ? fetch[SEND] : (request) => new FetchRequest(request, fetch);
    return () => given;
  }
  let logged: string | undefined;
  const use = (send: Send, logger: Logger, why: string): Send => {
    // The platform transport has its own name: bundles for browsers contain nothing of Node.
    const client = send === sendByFetch ? "fetch" : platformTransport?.name;
    if (logged !== why) logger.debug({ httpClient: client, why }, "HTTP client chosen");
    logged = why;
    return send;
  };
  if (name === "fetch") return (logger) => use(sendByFetch, logger, "configured");
  const isForced = name === "node";
  const choose: TransportChoice = (logger) => {
    if (platformTransport === undefined && isForced)
      throw new ConfigurationError('httpClient: "node" requires Node: remove it, or use "fetch".');
    if (platformTransport === undefined) return use(sendByFetch, logger, "the platform has no alternative");
    const why = isForced ? undefined : platformTransport.whyFetch();
    if (why !== undefined) return use(sendByFetch, logger, why);
    const send = platformTransport.open(isForced);
    // A patch of node:http cannot be detected before it is loaded.
    if (typeof send !== "function") return send.then(() => choose(logger));
    return use(send, logger, isForced ? "configured" : "fetch is unpatched");
  };
  return choose;
}

/** Looks the platform's `fetch` up with each request, so that one patched later (tracing, tests) is used. */
function sendByFetch(request: HttpRequest): InFlightRequest {
  return new FetchRequest(request, (input, init) => globalThis.fetch(input, init));
}

/** A request sent by a `fetch`, which may ignore its signal. */
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
    // Settles a pending read even if the body ignores the signal.
    this.#reader?.cancel().catch(ignore);
  }

  async #send({ method, url, headers, body, bodyIsView }: HttpRequest, fetch: FetchLike): Promise<AnswerHead> {
    const { signal } = this.#controller;
    const init: RequestInit = { method, headers, redirect: "manual", signal };
    // A fetch, or its instrumentation, may keep the body for longer than the request.
    if (body) init.body = bodyIsView === true ? body.slice() : body;
    const response = await fetch(url, init);
    // Nobody reads an answer that arrives after the cancel.
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
