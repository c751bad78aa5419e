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
  type PlatformTransport,
  SEND,
  type Sender,
} from "./transport.ts";

const NAMES = ["auto", "fetch", "node"] as const;

/** The HTTP client of requests; see `GeminiClientOptions.httpClient`. */
export type HttpClientName = (typeof NAMES)[number];

/** Environment variable that names the HTTP client when the option is absent. */
const VARIABLE = "POLLUX_HTTP_CLIENT";

/** Chooses what sends each request, and logs the choice when it changes. */
export class TransportChoice {
  readonly #fetch: FetchLike | undefined;
  readonly #name: HttpClientName;
  #logged: string | undefined;

  /** @throws {ConfigurationError} For an unknown name, and for a `fetch` together with a name. */
  constructor(
    fetch: FetchLike | undefined,
    httpClient: HttpClientName | undefined,
    env: Environment = processEnvironment(),
  ) {
    if (fetch !== undefined && httpClient !== undefined && httpClient !== "auto")
      throw new ConfigurationError(`httpClient: "${httpClient}" and fetch are mutually exclusive: pass one of them.`);
    const wanted = httpClient ?? (env[VARIABLE] || "auto");
    const name = NAMES.find((known) => known === wanted);
    if (name === undefined)
      throw new ConfigurationError(
        `${httpClient === undefined ? VARIABLE : "httpClient"} must be "auto", "fetch" or "node".`,
      );
    this.#fetch = fetch;
    this.#name = name;
  }

  /**
   * What sends the next request.
   *
   * @throws {ConfigurationError} For `node` on a platform without it.
   */
  current(logger: Logger): FetchLike | Sender | Promise<FetchLike | Sender> {
    if (this.#fetch !== undefined) return this.#fetch;
    if (this.#name === "fetch") return this.#use(platformFetch, logger, "fetch", "configured");
    return this.#choose(platformTransport, logger);
  }

  #choose(platform: PlatformTransport | undefined, logger: Logger): FetchLike | Sender | Promise<FetchLike | Sender> {
    const isForced = this.#name === "node";
    if (platform === undefined) {
      if (isForced) throw new ConfigurationError('httpClient: "node" requires Node: remove it, or use "fetch".');
      return this.#use(platformFetch, logger, "fetch", "the platform has no alternative");
    }
    const why = isForced ? undefined : platform.whyFetch();
    if (why !== undefined) return this.#use(platformFetch, logger, "fetch", why);
    const opened = platform.open(isForced);
    // A patch of node:http cannot be detected before it is loaded.
    if (!isSender(opened)) return opened.then(() => this.#choose(platform, logger));
    return this.#use(opened, logger, platform.name, isForced ? "configured" : "fetch is unpatched");
  }

  #use<Fetch extends FetchLike | Sender>(fetch: Fetch, logger: Logger, httpClient: string, why: string): Fetch {
    if (this.#logged !== why) logger.debug({ httpClient, why }, "HTTP client chosen");
    this.#logged = why;
    return fetch;
  }
}

/** Looked up with each request, so that a fetch patched later (tracing, tests) is used. */
function platformFetch(input: string, init: RequestInit): Promise<Response> {
  return globalThis.fetch(input, init);
}

/** Sends through a sender, or through a plain `fetch`. */
export function sendRequest(request: HttpRequest, fetch: FetchLike | Sender): InFlightRequest {
  return isSender(fetch) ? fetch[SEND](request) : new FetchRequest(request, fetch);
}

function isSender(fetch: FetchLike | Sender | Promise<unknown>): fetch is Sender {
  return SEND in fetch;
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
    // A fetch, or what instruments it, may keep the body for longer than the request.
    if (body) init.body = bodyIsView === true ? body.slice() : body;
    const response = await fetch(url, init);
    // An answer after the cancel is not read.
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
