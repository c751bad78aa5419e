import type { ApiStatusFacts, QuotaViolation } from "../../errors/api-errors.ts";
import { isObject, isTooDeep, tryOr } from "../../internal/json.ts";
import { wordsIn } from "../../internal/text.ts";
import type { AnswerHeaders } from "../http/transport.ts";

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

/** Most levels of errors, each as text in another error's message, that are read. */
const MAX_NESTING = 2;

/** Reads the text of an error body. Never throws: the message is the title of HTML, and the text itself if it is not JSON. */
export function readErrorText(text: string): ErrorBody {
  const value = tryJson(text);
  if (value !== undefined) return readErrorValue(value);
  return { message: htmlTitle(text) ?? text.trim(), details: [] };
}

/** Reads a parsed error in Google's shape, in a gateway's, or in a list, and JSON in the message, two levels deep: the innermost counts. */
export function readErrorValue(value: unknown, depth = 0): ErrorBody {
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
    // Code that shows or stores the error walks through them.
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
  const inner = readErrorValue(nested, depth + 1);
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
  return tryOr<unknown>(() => JSON.parse(text), undefined) ?? undefined;
}

/** Undefined for anything but HTML. */
function htmlTitle(html: string): string | undefined {
  if (!/^\s*<(?:!doctype|html|head|body|h1|title|center)/i.test(html)) return undefined;
  const title = /<title[^>]*>([^<]*)/i.exec(html)?.[1] ?? /<h1[^>]*>([^<]*)/i.exec(html)?.[1];
  return title?.replaceAll(/\s+/g, " ").trim() || "an HTML page instead of JSON";
}

/** Whether and when to retry a request that was rejected for its rate. */
export type QuotaVerdict = Pick<ApiStatusFacts, "retryable" | "retryAfterMs" | "resetsAt" | "quotaViolations">;

/** Reasons for which a retry does not help. */
const TERMINAL_REASONS: ReadonlySet<unknown> = wordsIn(
  "QUOTA_EXHAUSTED MODEL_CAPACITY_EXHAUSTED INSUFFICIENT_G1_CREDITS_BALANCE",
);

/** Decides whether and when to retry a 429: by the quota's id, then its delay. @see https://ai.google.dev/gemini-api/docs/rate-limits */
export function judgeQuota(body: ErrorBody, headers: AnswerHeaders | undefined, now: number): QuotaVerdict {
  const quotaViolations = violationsIn(body.details);
  const reasons = detailsOf(body.details, "ErrorInfo").map(({ reason }) => reason);
  if (/\blimit: 0(?![\d.])/.test(body.message)) return { retryable: false, quotaViolations };
  if (quotaViolations.some(({ quotaId = "" }) => /PerDay|Daily/i.test(quotaId)))
    return { retryable: false, resetsAt: nextMidnightPacific(now), quotaViolations };
  if (reasons.some((reason) => TERMINAL_REASONS.has(reason))) return { retryable: false, quotaViolations };
  const perMinute =
    quotaViolations.some(({ quotaId }) => quotaId?.includes("PerMinute")) || reasons.includes("RATE_LIMIT_EXCEEDED");
  const delayMs = serverDelay(body, headers, now);
  return { retryable: true, retryAfterMs: delayMs ?? (perMinute ? 60_000 : undefined), quotaViolations };
}

/** The wait the service asked for: `RetryInfo`, then the sentence in the message, then `Retry-After`. Milliseconds. */
export function serverDelay(body: ErrorBody, headers: AnswerHeaders | undefined, now: number): number | undefined {
  const [delay] = detailsOf(body.details, "RetryInfo").flatMap(({ retryDelay }) => durationMs(retryDelay) ?? []);
  const sentence = /retry in ((?:[\d.]+(?:ms|[hms]))+)/i.exec(body.message)?.[1];
  return delay ?? durationMs(sentence) ?? retryAfterMs(headers?.get("retry-after"), now);
}

/** Start of the next day in Los Angeles, where daily quotas reset, as milliseconds since the epoch. */
export function nextMidnightPacific(now: number): number {
  const day = 86_400_000;
  const next = now + day - pacificTimeOfDay(now);
  // On the two days a year with 23 or 25 hours, `next` is an hour off midnight.
  const off = pacificTimeOfDay(next);
  return off > day / 2 ? next + (day - off) : next - off;
}

function violationsIn(details: readonly unknown[]): readonly QuotaViolation[] {
  return detailsOf(details, "QuotaFailure").flatMap(({ violations }) => {
    if (!Array.isArray(violations)) return [];
    return violations.filter(isObject).map(({ quotaMetric, quotaId, quotaValue }) => ({
      quotaMetric: asText(quotaMetric),
      quotaId: asText(quotaId),
      quotaValue: asText(quotaValue),
    }));
  });
}

/** Entries of `details` of one of Google's standard types. */
function detailsOf(details: readonly unknown[], type: string): readonly Readonly<Record<string, unknown>>[] {
  return details.filter(isObject).filter((detail) => asText(detail["@type"])?.endsWith(`google.rpc.${type}`));
}

function durationMs(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  let ms: number | undefined;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[hms])/g))
    ms = (ms ?? 0) + Number(amount) * (unit === "ms" ? 1 : unit === "s" ? 1000 : unit === "m" ? 60_000 : 3_600_000);
  return ms === undefined ? undefined : Math.ceil(ms);
}

function retryAfterMs(header: string | null | undefined, now: number): number | undefined {
  if (!header) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return seconds >= 0 ? Math.ceil(seconds * 1000) : undefined;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function pacificTimeOfDay(time: number): number {
  const clock = new Date(time).toLocaleTimeString("en-US", { timeZone: "America/Los_Angeles", hourCycle: "h23" });
  const [hours = 0, minutes = 0, seconds = 0] = clock.split(":").map(Number);
  return (hours * 3600 + minutes * 60 + seconds) * 1000 + (time % 1000);
}

function asText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
