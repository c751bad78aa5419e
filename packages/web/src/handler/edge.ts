import type { Logger } from "@pollux/core";
import { checkSite, checkSize, HttpError, readJson } from "@pollux/core/serving";
import { BadRequestError } from "../chat-protocol.ts";
import { replyEmpty, replyError } from "./replies.ts";
import { findRoute, type Route, type Routes } from "./routes.ts";
import { refusalOf } from "./start-run.ts";

/** Which requests a handler accepts. */
export interface EdgeOptions {
  /** Origins besides the handler's own whose pages may use it, with cookies, such as `https://app.example.com`. @defaultValue none */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Most bytes of a body. @defaultValue 16 MiB */
  readonly maxBodyBytes?: number | undefined;
  /** Most bytes of all headers. @defaultValue 32 KiB */
  readonly maxHeaderBytes?: number | undefined;
  /** Logs why a request or a run failed; clients only get a reference to that line. @defaultValue the console */
  readonly logger?: Pick<Logger, "error"> | undefined;
}

/** What an edge passes requests to. */
export interface EdgeTarget<Action extends string> {
  /** The handler's own path, without a slash at its end. */
  readonly base: string;
  readonly routes: Routes<Action>;
  /** Has the log for errors that clients don't see. */
  readonly serving: { log(error: unknown, facts: object): string };
  /** Whether a client that asks for no JSON shows the body of an error as it is. @defaultValue none does */
  readonly hasTextErrors?: ((request: Request) => boolean) | undefined;
}

/** Sits between the network and a handler: checks requests, and turns errors into responses. */
export class Edge<Action extends string> {
  readonly #options: EdgeOptions;
  readonly #origins: ReadonlySet<string>;
  readonly #target: EdgeTarget<Action>;

  constructor(options: EdgeOptions, target: EdgeTarget<Action>) {
    this.#options = options;
    this.#origins = new Set(options.allowedOrigins);
    this.#target = target;
  }

  /** Answers a request. Never rejects. */
  async serve(
    request: Request,
    act: (route: Route<Action>, query: URLSearchParams) => Promise<Response>,
  ): Promise<Response> {
    const response = await this.#respond(request, act).catch((error: unknown) => this.#replyTo(error, request));
    const cors = corsHeaders(request, this.#origins);
    if (cors === undefined) return response;
    // The headers of someone else's response may be immutable.
    const headers = new Headers(response.headers);
    for (const [name, value] of Object.entries(cors)) headers.append(name, value);
    return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
  }

  /** The body of a request. @throws {HttpError} */
  async json(request: Request): Promise<unknown> {
    return await readJson(request, {
      maxBytes: this.#options.maxBodyBytes,
      advice: "Send only the last message, and upload files elsewhere.",
    });
  }

  /** The body of a request that may have none. @throws {HttpError} */
  async optionalJson(request: Request): Promise<unknown> {
    return request.headers.has("content-type") ? await this.json(request) : undefined;
  }

  async #respond(request: Request, act: Parameters<Edge<Action>["serve"]>[1]): Promise<Response> {
    checkSize(request, this.#options.maxHeaderBytes);
    const { pathname, searchParams } = new URL(request.url);
    const route = findRoute(request.method, pathname, this.#target);
    if ("allow" in route)
      return replyEmpty({ allow: route.allow, ...preflightHeaders(request, this.#origins, route.allow) });
    checkSite(request, { origins: this.#origins });
    const response = await act(route, searchParams);
    if (request.method !== "HEAD") return response;
    await response.body?.cancel();
    return new Response(undefined, { status: response.status, headers: response.headers });
  }

  /** A client gets an error that it can act on, or a reference to the line in the log. */
  #replyTo(error: unknown, request: Request): Response {
    const { method, signal, headers } = request;
    const isText = headers.get("accept")?.includes("json") !== true && this.#target.hasTextErrors?.(request) === true;
    // The client has left: nobody reads the answer.
    if (signal.aborted && error === signal.reason) return replyEmpty();
    if (error instanceof HttpError) return replyError(error, { isText });
    if (error instanceof BadRequestError)
      return replyError(new HttpError(400, "bad_request", error.message), { isText });
    const refusal = refusalOf(error);
    if (refusal !== undefined) return replyError(refusal, { isText });
    const reference = this.#target.serving.log(error, { method });
    return replyError(new HttpError(500, "internal", "Something went wrong."), { reference, isText });
  }
}

/** The headers with which browsers let a page of an allowed origin read an answer. */
function corsHeaders(
  { headers }: Request,
  allowed: ReadonlySet<string>,
): { readonly [name: string]: string } | undefined {
  if (allowed.size === 0) return undefined;
  const origin = headers.get("origin");
  if (origin === null || !allowed.has(origin)) return { vary: "origin" };
  return {
    vary: "origin",
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "pollux-error, pollux-reference, retry-after",
  };
}

/** The headers that answer a browser's CORS preflight; undefined for other requests and for origins that are not allowed. */
function preflightHeaders(
  request: Request,
  allowed: ReadonlySet<string>,
  methods: string,
): { readonly [name: string]: string } | undefined {
  const { headers } = request;
  const origin = headers.get("origin");
  if (origin === null || !allowed.has(origin) || !headers.has("access-control-request-method")) return undefined;
  return {
    "access-control-allow-methods": methods,
    "access-control-allow-headers": headers.get("access-control-request-headers") ?? "content-type",
    "access-control-max-age": "600",
  };
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

/** @throws {TypeError} For an option that is given and is not a number above 0. */
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
