import { ToolError } from "@pollux/core";
import { type ReadBody, readBody } from "./body.ts";
import { openConnections, type Undici } from "./connections.ts";
import type { HttpOptions } from "./http-options.ts";
import { httpFailure } from "./http-failure.ts";
import { Policy, shorten } from "./policy.ts";
import { loadForCall } from "../optional-packages.ts";

/** One request, before redirects. */
export interface Request {
  readonly method: string;
  readonly url: string;
  /** By lower-case name. Sent only to the first host. */
  readonly headers: { readonly [name: string]: string };
  /** Sent only over an encrypted connection to hosts that `allow` names. By lower-case name. */
  readonly secretHeaders?: { readonly [name: string]: string } | undefined;
  readonly body?: string | undefined;
}

/** The response. */
export interface Answer extends ReadBody {
  /** Where the response came from, after redirects. */
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const UNDICI = { user: "@pollux/tools/http", packages: ["undici"] };

const USER_AGENT = "Mozilla/5.0 (compatible; pollux-tools)";

/** Sends requests within a policy and limits. */
export class Exchange {
  readonly policy: Policy;
  readonly #options: HttpOptions;
  readonly timeoutMs: number;
  readonly #maxBytes: number;
  readonly #maxRedirects: number;

  /** @throws {TypeError} If an option is malformed. */
  constructor(options: HttpOptions) {
    this.#options = options;
    this.policy = new Policy(options);
    this.timeoutMs = bound("timeoutMs", options.timeoutMs ?? 20_000, 1);
    this.#maxBytes = bound("maxBytes", options.maxBytes ?? 5_000_000, 1);
    this.#maxRedirects = bound("maxRedirects", options.maxRedirects ?? 5, 0);
  }

  /**
   * Sends one request and follows redirects.
   *
   * @throws {ToolError} If the request is not allowed, or no response arrives.
   */
  async send(request: Request, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    // Checked before anything is loaded: most refusals happen here.
    const url = this.policy.check(request.url);
    // By file name: Bun replaces "undici" with its own module, which would connect to any address a name resolves to.
    const undici: Undici = await loadForCall(UNDICI, () => import("undici/index.js"));
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), Math.min(this.timeoutMs, 2 ** 31 - 1));
    const { timeoutMs } = this;
    const agent = openConnections(undici, this.policy, { timeoutMs }, this.#options.lookup);
    try {
      return await this.#follow(request, url, {
        signal: AbortSignal.any([signal, limit.signal]),
        send: async (address, options) => await undici.request(address, { ...options, dispatcher: agent }),
      });
    } catch (error) {
      signal.throwIfAborted();
      if (limit.signal.aborted)
        throw new ToolError(`${shorten(request.url)} took longer than ${this.timeoutMs} ms; try another URL`, {
          cause: error,
        });
      throw httpFailure(error, shorten(request.url));
    } finally {
      clearTimeout(timer);
      await agent.destroy();
    }
  }

  async #follow(request: Request, first: URL, { signal, send }: Sending): Promise<Answer> {
    let [url, method, body] = [first, request.method, request.body];
    for (let redirects = 0; ; redirects++) {
      const response = await send(url, {
        method: method as "GET",
        headers: this.#headersFor(url, request, url.origin === first.origin, body),
        body: body ?? null,
        signal,
      });
      const headers = headersOf(response.headers);
      const location = REDIRECTS.has(response.statusCode) ? headers.get("location") : null;
      if (location === null || method === "HEAD") {
        const read = await readBody(response.body, headers, this.#maxBytes, signal);
        return { url, status: response.statusCode, headers, ...read };
      }
      // The body of a redirect is not read; the connections are closed at the end.
      response.body.on("error", () => {}).destroy();
      if (redirects >= this.#maxRedirects)
        throw new ToolError(`${shorten(first.href)} redirects more than ${this.#maxRedirects} times; try another URL`);
      const next = this.policy.check(location, url);
      const becomesGet = response.statusCode === 303 || (response.statusCode < 303 && method === "POST");
      if (becomesGet) [method, body] = ["GET", undefined];
      if (method !== "GET" && next.origin !== url.origin)
        throw new ToolError(
          `the server redirects the ${method} request to ${next.origin}; send it there yourself if that is intended`,
        );
      url = next;
    }
  }

  #headersFor(url: URL, request: Request, isFirstOrigin: boolean, body: string | undefined): Record<string, string> {
    const { "content-type": type, ...others } = request.headers;
    return {
      "user-agent": this.#options.userAgent ?? USER_AGENT,
      accept: "*/*",
      "accept-encoding": "gzip, deflate, br",
      ...(isFirstOrigin ? others : {}),
      ...(body !== undefined && type !== undefined ? { "content-type": type } : {}),
      ...(this.policy.isTrusted(url) ? request.secretHeaders : {}),
    };
  }
}

interface Sending {
  readonly signal: AbortSignal;
  readonly send: (url: URL, options: Parameters<Undici["request"]>[1]) => ReturnType<Undici["request"]>;
}

function headersOf(given: { readonly [name: string]: string | string[] | undefined }): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    for (const one of [value ?? []].flat()) {
      try {
        headers.append(name, one);
      } catch {
        // An invalid header is useless.
      }
    }
  }
  return headers;
}

/** @throws {TypeError} If an option is not an integer, or too small. */
export function bound(option: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new TypeError(`${option} must be an integer of at least ${least}, got ${String(value)}`);
}
