import { defineTool, type FunctionCall, type Tool, ToolError } from "@pollux/core";
import { redact, redactValue, findSecrets } from "@pollux/core/wire";
import { z } from "zod/v4";
import { kindOfContent, mediaTypeOf } from "./content-kind.ts";
import { decodeText } from "./decode-text.ts";
import { type Answer, bound, Exchange } from "./exchange.ts";
import { type HttpOptions, lookupReach } from "./http-options.ts";
import { indentJson, isDeepJson } from "./indent-json.ts";
import { pageOfText, type TextPage } from "./page-of-text.ts";

/** Methods that can be offered to the model. */
type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Options of {@link httpRequest}. */
export interface HttpRequestOptions extends HttpOptions {
  /** @defaultValue "http_request" */
  readonly name?: string | undefined;
  /** What the API is and its URL; how the tool works is appended. @defaultValue nothing */
  readonly description?: string | undefined;
  /** @defaultValue ["GET", "HEAD"] */
  readonly methods?: readonly Method[] | undefined;
  /** Headers that the model may set. @defaultValue ["accept", "accept-language", "if-none-match", "if-modified-since"] */
  readonly allowHeaders?: readonly string[] | undefined;
  /**
   * Headers that are always sent and that the model never sees, such as an API key. They are sent only to hosts that `allow`
   * names, over https: (or to addresses that `allowPrivate` permits), and not to other hosts after a redirect.
   */
  readonly headers?: { readonly [name: string]: string } | undefined;
  /** Header for the call's idempotency key, if the API supports one, such as `Idempotency-Key`. @defaultValue none */
  readonly idempotencyHeader?: string | undefined;
  /** Whether a person must approve first. @defaultValue for everything but GET and HEAD */
  readonly needsApproval?:
    | boolean
    | ((input: HttpRequestInput, call: FunctionCall) => boolean | Promise<boolean>)
    | undefined;
}

/** The model's input. */
export interface HttpRequestInput {
  readonly url: string;
  readonly method?: Method | undefined;
  readonly headers?: { readonly [name: string]: string } | undefined;
  readonly json?: unknown;
  readonly offset?: number | undefined;
}

/** The API's response. */
export interface HttpRequestResult extends Partial<TextPage> {
  /** The final URL, after redirects. */
  readonly url: string;
  readonly status: number;
  /** Only the headers needed for a follow-up request. */
  readonly headers: { readonly [name: string]: string };
  /** The body, if it is JSON and fits; other text is in `content`. */
  readonly json?: unknown;
  /** Present if something is missing. */
  readonly note?: string | undefined;
}

const READING: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** Headers that belong to the connection, or that could disguise the request. */
const NEVER =
  /^(?:host|connection|content-length|transfer-encoding|te|trailer|upgrade|keep-alive|expect|cookie2?|accept-encoding|content-encoding|(?:proxy|sec)-.*)$/;

const SHOWN =
  /^(?:content-type|content-length|location|etag|last-modified|link|retry-after|allow|x-total-count|x-request-id|(?:x-)?ratelimit-.*)$/;

const MAX_HEADER = 2_000;

/** Deepest JSON that is returned as a value; a result may not nest deeper. */
const MAX_DEPTH = 60;

/** Headers whose values are never secret. */
const HARMLESS = /^(?:accept|user-agent|content)(?:-|$)|version/i;

/**
 * `http_request`: calls an HTTP API. Read-only unless other methods are listed; those need a person's approval by default.
 *
 * @throws {TypeError} If an option is malformed, or there are `headers` but no `allow` to say which hosts may get them.
 */
export function httpRequest(options: HttpRequestOptions = {}): Tool<HttpRequestInput, HttpRequestResult> {
  const { methods = ["GET", "HEAD"], idempotencyHeader } = options;
  if (methods.length === 0) throw new TypeError("httpRequest(): methods is empty");
  if (options.headers !== undefined && options.allow === undefined)
    throw new TypeError("httpRequest(): headers requires allow, the hosts they may be sent to");
  const exchange = new Exchange(options);
  const maxCharacters = bound("maxCharacters", options.maxCharacters ?? 20_000, 1);
  const allowed = allowedHeaders(options.allowHeaders);
  const secretHeaders = lowerCase(options.headers ?? {});
  const secrets = findSecrets(
    Object.fromEntries(Object.entries(secretHeaders).filter(([name]) => !HARMLESS.test(name))),
  );
  const reads = methods.every((method) => READING.has(method));
  const writes = !reads;
  const lead = options.description === undefined ? "" : `${options.description.trim()} `;

  return defineTool({
    name: options.name ?? "http_request",
    description: `${lead}Sends one HTTP request (${methods.join(", ")}) to an API and returns status, headers and body. Request as little as you need: use the API's filters and paging. Long texts are returned in pieces: to continue, set offset to next_offset.`,
    input: z.object({
      url: z.string().describe("Full URL including the query, such as https://api.example.com/items?limit=10"),
      method: z.enum(methods).optional().describe(`Default ${methods[0]}`),
      headers: z
        .record(z.string(), z.string())
        .optional()
        .describe(`Headers by name; allowed: ${[...allowed].join(", ") || "none"}`),
      ...(writes ? { json: z.unknown().optional().describe("Body, sent as JSON; not allowed with GET or HEAD") } : {}),
      offset: z.int().min(0).optional().describe("Characters of the body to skip, GET only (default 0)"),
    }),
    effects: reads ? "none" : idempotencyHeader === undefined ? "once" : "idempotent",
    reads: options.headers === undefined ? "untrusted" : ["untrusted", "private"],
    reach: ({ url, method = methods[0], headers }, run) =>
      READING.has(method ?? "") ? lookupReach(options, headers === undefined ? url : undefined, run) : "outside",
    needsApproval: options.needsApproval ?? (({ method = methods[0] }) => !READING.has(method ?? "")),
    timeoutMs: exchange.timeoutMs + 5_000,
    maxResultBytes: maxCharacters * 6 + 50_000,
    run: async (input: HttpRequestInput, { signal, idempotencyKey }): Promise<HttpRequestResult> => {
      const { url, method = methods[0] ?? "GET", json, offset } = input;
      if (READING.has(method) && json !== undefined)
        throw new ToolError(`${method} takes no body; put parameters into the query of the URL`);
      if (method !== "GET" && offset !== undefined)
        throw new ToolError("offset works only with GET, because the request is sent again");
      const headers = checkHeaders(input.headers ?? {}, allowed);
      const body = json === undefined ? undefined : JSON.stringify(json);
      const sending = exchange.send(
        {
          method,
          url,
          headers: {
            accept: "application/json, text/*;q=0.9, */*;q=0.5",
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            ...headers,
            ...(idempotencyHeader === undefined || reads ? {} : { [idempotencyHeader.toLowerCase()]: idempotencyKey }),
          },
          secretHeaders,
          body,
        },
        signal,
      );
      const answer = await sending.catch((error: unknown) => {
        // The message may contain the URL of a redirect.
        if (error instanceof ToolError) throw new ToolError(redact(error.message, secrets), { cause: error.cause });
        throw error;
      });
      return {
        url: redact(answer.url.href, secrets),
        status: answer.status,
        headers: shownHeaders(answer.headers, secrets),
        ...bodyOf(answer, { method, offset: offset ?? 0, maxCharacters, secrets }),
      };
    },
  });
}

interface BodyOptions {
  readonly method: string;
  readonly offset: number;
  readonly maxCharacters: number;
  /** Values that the service may repeat, and the model must not read. */
  readonly secrets: readonly string[];
}

function bodyOf(
  answer: Answer,
  { method, offset, maxCharacters, secrets }: BodyOptions,
): Pick<HttpRequestResult, "json" | "content" | "total_characters" | "next_offset" | "note"> {
  const { bytes, isCut, headers } = answer;
  if (bytes.length === 0) return {};
  const contentType = headers.get("content-type") ?? "";
  const kind = kindOfContent(contentType, bytes);
  if (kind === "pdf" || kind === "image" || kind === "other")
    return { note: `the body is ${redact(mediaTypeOf(contentType), secrets) || "a binary file"} and is not shown` };
  const text = decodeText(bytes, contentType);
  const cut = isCut ? `only the first ${bytes.length} bytes were read; request less data` : undefined;
  const isWhole = kind === "json" && !isCut;
  const value = isWhole && offset === 0 ? parsed(text) : undefined;
  if (value !== undefined && JSON.stringify(value.json).length <= maxCharacters)
    return { json: redactValue(value.json, secrets) };
  // Redacted before it is cut into pages, so that offsets stay the same and no secret is split.
  const shown = redact((isWhole ? indentJson(text) : undefined) ?? text, secrets, { truncated: isCut });
  const page = pageOfText(shown, offset, maxCharacters);
  // Sending the request again would repeat its effect.
  const { next_offset: next, ...rest } = page;
  if (next === undefined) return { ...rest, ...(cut === undefined ? {} : { note: cut }) };
  return method === "GET"
    ? { ...page, ...(cut === undefined ? {} : { note: cut }) }
    : { ...rest, note: "the rest of the body is omitted" };
}

function parsed(text: string): { readonly json: unknown } | undefined {
  if (isDeepJson(text, MAX_DEPTH)) return undefined;
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function allowedHeaders(names: readonly string[] | undefined): ReadonlySet<string> {
  const allowed = (names ?? ["accept", "accept-language", "if-none-match", "if-modified-since"]).map((name) =>
    name.toLowerCase(),
  );
  const refused = allowed.find((name) => NEVER.test(name));
  if (refused !== undefined) throw new TypeError(`httpRequest(): allowHeaders: "${refused}" cannot be set`);
  return new Set(allowed);
}

function checkHeaders(
  given: { readonly [name: string]: string },
  allowed: ReadonlySet<string>,
): { readonly [name: string]: string } {
  const headers = lowerCase(given);
  for (const [name, value] of Object.entries(headers)) {
    if (!allowed.has(name))
      throw new ToolError(
        `the header ${JSON.stringify(name.slice(0, 60))} is not allowed; allowed: ${[...allowed].join(", ") || "none"}`,
      );
    if (value.length > MAX_HEADER || !/^[\t\u0020-\u007e]*$/.test(value))
      throw new ToolError(`the header ${name} must be one line of at most ${MAX_HEADER} plain characters`);
  }
  return headers;
}

function lowerCase(headers: { readonly [name: string]: string }): { readonly [name: string]: string } {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function shownHeaders(headers: Headers, secrets: readonly string[]): { readonly [name: string]: string } {
  const shown = [...headers].filter(([name]) => SHOWN.test(name)).slice(0, 20);
  return Object.fromEntries(shown.map(([name, value]) => [name, redact(value, secrets).slice(0, 500)]));
}
