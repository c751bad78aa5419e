import type { Logger } from "@pollux/core";
import { BadRequestError } from "../chat-protocol.ts";
import { HttpError, replyEmpty, replyError } from "./http-error.ts";
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

/** What stands behind an edge. */
export interface Behind<Action extends string> {
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
  readonly #behind: Behind<Action>;

  constructor(options: EdgeOptions, behind: Behind<Action>) {
    this.#options = options;
    this.#origins = new Set(options.allowedOrigins);
    this.#behind = behind;
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
    return await readJson(request, this.#options.maxBodyBytes ?? 16 * 1024 * 1024);
  }

  /** The body of a request that may have none. @throws {HttpError} */
  async optionalJson(request: Request): Promise<unknown> {
    return request.headers.has("content-type") ? await this.json(request) : undefined;
  }

  async #respond(request: Request, act: Parameters<Edge<Action>["serve"]>[1]): Promise<Response> {
    checkHeaders(request, this.#options.maxHeaderBytes ?? 32 * 1024);
    const { pathname, searchParams } = new URL(request.url);
    const route = findRoute(request.method, pathname, this.#behind);
    if ("allow" in route)
      return replyEmpty({ allow: route.allow, ...preflightHeaders(request, this.#origins, route.allow) });
    checkSite(request, this.#origins);
    const response = await act(route, searchParams);
    if (request.method !== "HEAD") return response;
    await response.body?.cancel();
    return new Response(undefined, { status: response.status, headers: response.headers });
  }

  /** A client gets an error that it can act on, or a reference to the line in the log. */
  #replyTo(error: unknown, request: Request): Response {
    const { method, signal, headers } = request;
    const isText = headers.get("accept")?.includes("json") !== true && this.#behind.hasTextErrors?.(request) === true;
    // The client has left: nobody reads the answer.
    if (signal.aborted && error === signal.reason) return replyEmpty();
    if (error instanceof HttpError) return replyError(error, { isText });
    if (error instanceof BadRequestError)
      return replyError(new HttpError(400, "bad_request", error.message), { isText });
    const refusal = refusalOf(error);
    if (refusal !== undefined) return replyError(refusal, { isText });
    const reference = this.#behind.serving.log(error, { method });
    return replyError(new HttpError(500, "internal", "Something went wrong."), { reference, isText });
  }
}

/** A request's body as JSON. @throws {HttpError} When it isn't JSON, or is larger than `maxBytes`. */
async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json")
    throw new HttpError(415, "not_json", 'Send JSON, with the header "content-type: application/json".');
  const text = await readText(request, maxBytes);
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpError(400, "bad_json", "The body is not valid JSON.");
  }
}

async function readText({ body, headers }: Request, maxBytes: number): Promise<string> {
  if (Number(headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (body === null) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = body.getReader();
  let text = "";
  let length = 0;
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      length += piece.value.byteLength;
      if (length > maxBytes) throw tooLarge(maxBytes);
      text += decode(decoder, piece.value);
    }
    return text + decode(decoder);
  } catch (error) {
    reader.cancel().catch(() => {});
    if (error instanceof HttpError) throw error;
    throw new HttpError(400, "bad_body", "The body ended early.");
  }
}

function decode(decoder: TextDecoder, bytes?: Uint8Array): string {
  try {
    return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    throw new HttpError(400, "bad_json", "The body is not valid UTF-8.");
  }
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(
    413,
    "body_too_large",
    `The body is larger than ${maxBytes} bytes. Send only the last message, and upload files elsewhere.`,
  );
}

/** @throws {HttpError} For headers or an address that are longer than anything this handler reads. */
function checkHeaders(request: Request, maxBytes: number): void {
  if (request.url.length > MAX_URL)
    throw new HttpError(414, "url_too_long", `The URL is longer than ${MAX_URL} characters.`);
  let length = 0;
  for (const [name, value] of request.headers) length += name.length + value.length + 4;
  if (length > maxBytes)
    throw new HttpError(431, "headers_too_large", `The headers are larger than ${maxBytes} bytes in total.`);
}

const MAX_URL = 4096;

/**
 * Refuses what another site's page makes a browser send: it would carry the cookies of the person who looks at that page.
 *
 * @param allowed - Origins whose pages may.
 * @throws {HttpError}
 */
function checkSite({ headers, url }: Request, allowed: ReadonlySet<string>): void {
  const origin = headers.get("origin");
  if (origin !== null && allowed.has(origin)) return;
  const site = headers.get("sec-fetch-site");
  // A browser that doesn't send the site sends the origin of anything but a plain GET. A client that sends neither is
  // not a browser.
  const isOwn =
    site === null
      ? origin === null || hostOf(origin) === (headers.get("host") ?? new URL(url).host).toLowerCase()
      : site === "same-origin" || site === "none";
  if (!isOwn)
    throw new HttpError(
      403,
      "cross_site",
      "Requests from other sites are refused. To accept an origin, add it to allowedOrigins.",
    );
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}

/** What a browser has to read before it shows an answer to a page of an allowed origin. */
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

/** The answer to a browser that asks what it may send; undefined when it may not, or asks for something else. */
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
