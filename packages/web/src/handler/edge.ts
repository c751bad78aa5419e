import type { Logger } from "@pollux/core";
import { BadRequestError } from "../chat-protocol.ts";
import { checkHeaders, readJson } from "./body.ts";
import { checkSite, corsHeaders, preflightHeaders } from "./cross-site.ts";
import { HttpError, replyEmpty, replyError } from "./http-error.ts";
import { refusalOf } from "./start-run.ts";

/** What of a network's requests a handler takes. */
export interface EdgeOptions {
  /** Origins besides the handler's own whose pages may use it, with cookies, such as `https://app.example.com`. @defaultValue none */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Most bytes of a body. @defaultValue 8 MiB */
  readonly maxBodyBytes?: number | undefined;
  /** Most bytes of all headers. @defaultValue 32 KiB */
  readonly maxHeaderBytes?: number | undefined;
  /** Told why a request or a run failed; clients are only given a reference to that line. @defaultValue the console */
  readonly logger?: Pick<Logger, "error"> | undefined;
}

/** Stands between the network and a handler: what is let in, and what a client is told of an error. */
export class Edge {
  readonly #options: EdgeOptions;
  readonly #origins: ReadonlySet<string>;
  readonly #serving: { log(error: unknown, facts: object): string };
  readonly #hasTextErrors: (request: Request) => boolean;

  /**
   * @param serving - Has the log for errors that clients are not told.
   * @param hasTextErrors - Whether a client that asks for no JSON shows the body of an error as it is.
   */
  constructor(
    options: EdgeOptions,
    serving: { log(error: unknown, facts: object): string },
    hasTextErrors: (request: Request) => boolean = () => false,
  ) {
    this.#hasTextErrors = hasTextErrors;
    this.#options = options;
    this.#origins = new Set(options.allowedOrigins);
    this.#serving = serving;
  }

  /**
   * Answers a request. Never rejects.
   *
   * @param find - What is asked for, or the methods that may be.
   */
  async serve<Route extends object>(
    request: Request,
    find: (url: URL) => Route | { readonly allow: string },
    act: (route: Route, url: URL) => Promise<Response>,
  ): Promise<Response> {
    const response = await this.#respond(request, find, act).catch((error: unknown) => this.#replyTo(error, request));
    const cors = corsHeaders(request, this.#origins);
    if (cors === undefined) return response;
    // Those of a response by somebody else may be immutable.
    const headers = new Headers(response.headers);
    for (const [name, value] of Object.entries(cors)) headers.append(name, value);
    return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
  }

  /** The body of a request. @throws {HttpError} */
  async json(request: Request): Promise<unknown> {
    return await readJson(request, this.#options.maxBodyBytes ?? 8 * 1024 * 1024);
  }

  /** The body of a request that may have none. @throws {HttpError} */
  async optionalJson(request: Request): Promise<unknown> {
    return request.headers.has("content-type") ? await this.json(request) : undefined;
  }

  async #respond<Route extends object>(
    request: Request,
    find: (url: URL) => Route | { readonly allow: string },
    act: (route: Route, url: URL) => Promise<Response>,
  ): Promise<Response> {
    checkHeaders(request, this.#options.maxHeaderBytes ?? 32 * 1024);
    const url = new URL(request.url);
    const route = find(url);
    if ("allow" in route)
      return replyEmpty({ allow: route.allow, ...preflightHeaders(request, this.#origins, route.allow) });
    checkSite(request, this.#origins);
    const response = await act(route, url);
    if (request.method !== "HEAD") return response;
    await response.body?.cancel();
    return new Response(undefined, { status: response.status, headers: response.headers });
  }

  /** A client is told what it can do about an error, or a reference to the line in the log. */
  #replyTo(error: unknown, request: Request): Response {
    const { method, signal, headers } = request;
    const isText = headers.get("accept")?.includes("json") !== true && this.#hasTextErrors(request);
    // The client has left: nobody reads the answer.
    if (signal.aborted && error === signal.reason) return replyEmpty();
    if (error instanceof HttpError) return replyError(error, { isText });
    if (error instanceof BadRequestError)
      return replyError(new HttpError(400, "bad_request", error.message), { isText });
    const refusal = refusalOf(error);
    if (refusal !== undefined) return replyError(refusal, { isText });
    const reference = this.#serving.log(error, { method });
    return replyError(new HttpError(500, "internal", "Something went wrong."), { reference, isText });
  }
}

/** @throws {TypeError} For an option that cannot work. */
export function checkEdge({ allowedOrigins = [], ...options }: EdgeOptions & { readonly path: string }): void {
  const { path } = options;
  if (!path.startsWith("/")) throw new TypeError(`path must start with "/", got "${path}"`);
  for (const origin of allowedOrigins)
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      throw new TypeError(`allowedOrigins: "${origin}" is not an origin, such as "https://app.example.com"`);
  checkPositive(options, ["maxBodyBytes", "maxHeaderBytes"]);
}

/** @throws {TypeError} For an option that is given, and no number above 0. */
export function checkPositive<Name extends string>(
  options: { readonly [Key in Name]?: number | undefined },
  names: readonly Name[],
): void {
  for (const name of names) {
    const value = options[name];
    if (value !== undefined && !(Number.isFinite(value) && value > 0))
      throw new TypeError(`${name} must be a number above 0, got ${value}`);
  }
}
