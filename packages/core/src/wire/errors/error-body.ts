import { isObject, isTooDeep } from "../../internal/json.ts";

/** The content of an error body, from Google or a gateway. */
export interface ErrorBody {
  /** Text for people; may be empty. */
  readonly message: string;
  /** Numeric code in the body. */
  readonly code?: number | undefined;
  /** The service's status word, or a gateway's string code or type. */
  readonly reason?: string | undefined;
  readonly details: readonly unknown[];
}

/** How many levels of errors wrapped as text in another error's message are read. */
const MAX_NESTING = 2;

/** Reads the text of an error body. Never throws: the message is the title of HTML, and the text itself if it is not JSON. */
export function readErrorText(text: string): ErrorBody {
  const value = tryJson(text);
  if (value !== undefined) return readErrorValue(value);
  return { message: isHtml(text) ? htmlTitle(text) : text.trim(), details: [] };
}

/**
 * Reads a parsed error in Google's shape, in a gateway's (`error.message`, `error` as a string, `message`), or in a list of one of
 * them. Also reads JSON in the message, two levels deep; the fields of the innermost error take precedence.
 */
export function readErrorValue(value: unknown): ErrorBody {
  return readLevel(value, 0);
}

function readLevel(value: unknown, depth: number): ErrorBody {
  const root: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof root === "string") return { message: root, details: [] };
  if (!isObject(root)) return { message: "", details: [] };
  const error = root["error"];
  if (typeof error === "string") return unwrap({ ...readFields(root), message: error }, depth);
  return unwrap(readFields(isObject(error) ? error : root), depth);
}

function readFields(error: Readonly<Record<string, unknown>>): ErrorBody {
  const { code, message, status, type, details } = error;
  return {
    message: typeof message === "string" ? message : "",
    code: toCode(code) ?? toCode(status),
    reason: firstWord(status, code, type),
    // Whoever shows or stores an error walks through them.
    details: Array.isArray(details) ? details.filter((detail) => !isTooDeep(detail)) : [],
  };
}

/** Reads an error that is text in the message of another one. */
function unwrap(outer: ErrorBody, depth: number): ErrorBody {
  if (depth >= MAX_NESTING) return outer;
  const start = outer.message.search(/[[{]/);
  const end = Math.max(outer.message.lastIndexOf("}"), outer.message.lastIndexOf("]"));
  const nested = start >= 0 && end > start ? tryJson(outer.message.slice(start, end + 1)) : undefined;
  if (nested === undefined) return outer;
  const inner = readLevel(nested, depth + 1);
  if (inner.message === "") return outer;
  return {
    message: inner.message,
    code: inner.code ?? outer.code,
    reason: inner.reason ?? outer.reason,
    details: inner.details.length > 0 ? inner.details : outer.details,
  };
}

function toCode(value: unknown): number | undefined {
  const code = typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof code === "number" && code >= 100 && code <= 599 ? code : undefined;
}

function firstWord(...values: readonly unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === "string" && value !== "" && !/^\d+$/.test(value));
}

function tryJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value ?? undefined;
  } catch {
    return undefined;
  }
}

function isHtml(text: string): boolean {
  return /^\s*<(?:!doctype|html|head|body|h1|title|center)/i.test(text);
}

function htmlTitle(html: string): string {
  const title = /<title[^>]*>([^<]*)/i.exec(html)?.[1] ?? /<h1[^>]*>([^<]*)/i.exec(html)?.[1];
  return title?.replaceAll(/\s+/g, " ").trim() || "an HTML page instead of JSON";
}
