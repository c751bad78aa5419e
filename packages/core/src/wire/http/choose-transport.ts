import { platformTransport } from "#platform-transport";
import { ConfigurationError } from "../../errors/agent-error.ts";
import { type Environment, processEnvironment } from "../../internal/environment.ts";
import type { Logger } from "../../logging/logger.ts";
import type { FetchLike, PlatformTransport } from "./transport.ts";

/** The HTTP client of requests; see `GeminiClientOptions.httpClient`. */
export type HttpClientName = "auto" | "fetch" | "node";

const NAMES: readonly HttpClientName[] = ["auto", "fetch", "node"];

/** Environment variable that names the HTTP client when the option does not. */
const VARIABLE = "POLLUX_HTTP_CLIENT";

/** Chooses for each request what it goes out by, and says so in the log when that changes. */
export class TransportChoice {
  readonly #fetch: FetchLike | undefined;
  readonly #name: HttpClientName;
  #logged: string | undefined;

  /** @throws {ConfigurationError} For a name that is none, and for a `fetch` beside a name. */
  constructor(
    fetch: FetchLike | undefined,
    httpClient: HttpClientName | undefined,
    env: Environment = processEnvironment(),
  ) {
    if (fetch !== undefined && httpClient !== undefined && httpClient !== "auto")
      throw new ConfigurationError(`httpClient: "${httpClient}" and fetch are mutually exclusive: pass one of them.`);
    const name = httpClient ?? (env[VARIABLE] || "auto");
    if (!isName(name))
      throw new ConfigurationError(
        `${httpClient === undefined ? VARIABLE : "httpClient"} must be "auto", "fetch" or "node".`,
      );
    this.#fetch = fetch;
    this.#name = name;
  }

  /**
   * What a request that is sent now goes out by.
   *
   * @throws {ConfigurationError} Where `node` was asked for and there is none.
   */
  current(logger: Logger): FetchLike | Promise<FetchLike> {
    if (this.#fetch !== undefined) return this.#fetch;
    if (this.#name === "fetch") return this.#use(platformFetch, logger, "fetch", "asked for");
    return this.#choose(platformTransport, logger);
  }

  #choose(platform: PlatformTransport | undefined, logger: Logger): FetchLike | Promise<FetchLike> {
    const isForced = this.#name === "node";
    if (platform === undefined) {
      if (isForced) throw new ConfigurationError('httpClient: "node" requires Node: remove it, or use "fetch".');
      return this.#use(platformFetch, logger, "fetch", "the platform has nothing else");
    }
    const why = isForced ? undefined : platform.whyFetch();
    if (why !== undefined) return this.#use(platformFetch, logger, "fetch", why);
    const opened = platform.open(isForced);
    // Loading may have brought to light what was not to be seen before.
    if (opened instanceof Promise) return opened.then(() => this.#choose(platform, logger));
    return this.#use(opened, logger, platform.name, isForced ? "asked for" : "fetch is unpatched");
  }

  #use(fetch: FetchLike, logger: Logger, httpClient: string, why: string): FetchLike {
    if (this.#logged !== why) logger.debug({ httpClient, why }, "HTTP client chosen");
    this.#logged = why;
    return fetch;
  }
}

function isName(name: string): name is HttpClientName {
  return NAMES.some((known) => known === name);
}

/** Looked up with each request, so that a fetch patched later (tracing, tests) is used. */
function platformFetch(input: string, init: RequestInit): Promise<Response> {
  return globalThis.fetch(input, init);
}
