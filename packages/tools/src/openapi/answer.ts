import { ToolError } from "@pollux/core";
import { redactValue } from "@pollux/core/wire";
import { isDeepJson } from "../http/indent-json.ts";
import { boundedJson, bytesOf } from "./bounded-json.ts";
import { hidden, type SentCredentials } from "./credentials.ts";
import { shortened } from "./json.ts";

/** A response as the model reads it. */
export interface OpenApiAnswer {
  readonly status: number;
  /** The JSON, or the text; absent if there is none. */
  readonly body?: unknown;
  /** The `Link` header, with the URLs of further pages. */
  readonly link?: string | undefined;
  /** The `Location` header, such as the URL of a created resource. */
  readonly location?: string | undefined;
  /** A note about the body. */
  readonly note?: string | undefined;
}

/** Most bytes of a body that are received. */
const MAX_RECEIVED = 10_000_000;

/** Bytes reserved for everything except the body. */
const BESIDE = 1_000;

/** Most levels of a JSON body. */
const MAX_DEPTH = 200;

/** Most characters of an HTML page that are searched for its title. */
const MAX_HEAD = 10_000;

/** Most characters of an error's body that the model reads. */
const MAX_ERROR = 800;

/**
 * Reads a response.
 *
 * @throws {ToolError} For a status of 400 or above, with part of the service's message.
 */
export async function answerOf(
  response: Response,
  title: string,
  credentials: SentCredentials,
  maxResultBytes: number,
): Promise<OpenApiAnswer> {
  const { status, headers } = response;
  const mediaType = (headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const { bytes, isCut } = await receive(response);
  const isText = isTextual(mediaType, bytes);
  const text = isText ? new TextDecoder().decode(bytes) : "";
  if (status >= 400) throw new ToolError(hidden(failureText(response, title, mediaType, text), credentials));
  const link = headers.get("link");
  const location = headers.get("location");
  const known = {
    status,
    ...(link !== null && { link: hidden(link, credentials).slice(0, 600) }),
    ...(location !== null && { location: hidden(location, credentials).slice(0, 300) }),
  };
  if (bytes.length === 0) return { ...known, note: "the response has no body" };
  if (!isText) {
    const size = isCut ? `more than ${MAX_RECEIVED}` : String(bytes.length);
    const type = hidden(mediaType || "an unknown type", credentials).slice(0, 100);
    return { ...known, note: `the response is ${size} bytes of ${type}, which are not shown` };
  }
  const whole = /[/+]json$/.test(mediaType) || mediaType === "" ? parsed(text) : undefined;
  const bounded = boundedJson(whole === undefined ? text : whole.value, Math.max(100, maxResultBytes - BESIDE));
  const shown = bounded.isCut && whole === undefined ? cutText(text, maxResultBytes - BESIDE) : bounded.value;
  // Redacted once it is small, and decoded: a service may escape any character of a JSON text.
  const body = redactValue(shown, credentials.secrets, { truncated: true });
  const note =
    bounded.isCut || isCut ? "the response is too long to show in full; request less, or the next page" : undefined;
  return { ...known, body, ...(note !== undefined && { note }) };
}

async function receive({ body }: Response): Promise<{ readonly bytes: Uint8Array; readonly isCut: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Not every browser can iterate over a stream.
  const reader = body?.getReader();
  for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
    chunks.push(read.value.subarray(0, MAX_RECEIVED - size));
    size += read.value.length;
    if (size > MAX_RECEIVED) break;
  }
  if (size > MAX_RECEIVED) await reader?.cancel().catch(() => {});
  const bytes = new Uint8Array(Math.min(size, MAX_RECEIVED));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { bytes, isCut: size > MAX_RECEIVED };
}

function isTextual(mediaType: string, bytes: Uint8Array): boolean {
  if (/^text\/|[/+](?:json|xml|yaml|csv|javascript|x-www-form-urlencoded|x-ndjson|graphql)$/.test(mediaType))
    return true;
  return mediaType === "" && !bytes.subarray(0, 1_000).includes(0);
}

/** Undefined if the text is not JSON, or nested so deeply that it is better read as text. */
function parsed(text: string): { readonly value: unknown } | undefined {
  if (isDeepJson(text, MAX_DEPTH)) return undefined;
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function cutText(text: string, maxBytes: number): string {
  // A character takes at most six bytes of JSON; most take one.
  const kept = text.slice(0, Math.max(100, Math.floor(maxBytes * 0.8)));
  const fitting = bytesOf(kept) <= maxBytes ? kept : text.slice(0, Math.max(100, Math.floor(maxBytes / 6)));
  const whole = fitting.replace(/[\ud800-\udbff]$/, "");
  return `${whole}… [${text.length - whole.length} more characters]`;
}

function failureText(response: Response, title: string, mediaType: string, text: string): string {
  const { status, statusText, headers } = response;
  const content = mediaType === "text/html" ? (/<title[^>]*>([^<]*)/i.exec(text.slice(0, MAX_HEAD))?.[1] ?? "") : text;
  const body = shortened(content, MAX_ERROR);
  const name = `${status}${statusText === "" ? "" : ` ${shortened(statusText, 60)}`}`;
  return `${title} answered ${name}${body === "" ? "" : `: ${body}`}. ${adviceFor(status, headers)}`;
}

function adviceFor(status: number, headers: Headers): string {
  const seconds = waitSeconds(headers);
  const isLimit = status === 429 || (status === 403 && headers.get("x-ratelimit-remaining") === "0");
  if (isLimit || status === 503) {
    const what = isLimit ? "Too many requests" : "The service is not available";
    return `${what}: ${seconds === undefined ? "wait before you try again" : `try again in ${seconds} seconds`}.`;
  }
  if (status === 401) return "The service does not accept the credentials; calling again does not help.";
  if (status === 403) return "The credentials do not allow this; calling again does not help.";
  if (status === 404 || status === 410) return "Check the identifiers.";
  if (status === 409) return "It conflicts with the current state; check that state first.";
  return status >= 500 ? "The service failed; try again later, or find another way." : "Correct the arguments.";
}

/** Seconds that the service asks clients to wait. */
function waitSeconds(headers: Headers): number | undefined {
  const after = headers.get("retry-after");
  if (after !== null && /^\d+$/.test(after.trim())) return Number(after);
  const date = after === null ? Number.NaN : Date.parse(after);
  const reset = Number(headers.get("x-ratelimit-reset") ?? Number.NaN) * 1000;
  const until = Number.isNaN(date) ? reset : date;
  return Number.isNaN(until) ? undefined : Math.max(0, Math.ceil((until - Date.now()) / 1000));
}
