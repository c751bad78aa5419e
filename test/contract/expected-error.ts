import { chunksOf, isError } from "./plain-fold.ts";
import { type Exchange, isJson, type Json, listOf } from "./recordings.ts";

/** The expected error of the client for a refusal, read from the recorded body without the library. */
export interface ExpectedError {
  readonly status: number;
  readonly reason: string | undefined;
  readonly retryable: boolean;
  /** Milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** True for a daily quota, which renews at a known time. */
  readonly hasReset: boolean;
  readonly details: readonly unknown[];
}

/** Fields of the client's error, and words that its message must contain; `embedded` for an error inside a 200. */
export function expectedError(exchange: Exchange, embedded: boolean): { error: ExpectedError; words: string } {
  const said = errorIn(exchange);
  const { code, message: text, status: word, type } = said;
  const message = typeof text === "string" ? text : "";
  const details = listOf(said["details"]);
  const reason = [word, code, type].find(
    (one): one is string => typeof one === "string" && one !== "" && !/^\d+$/.test(one),
  );
  const status = embedded ? (typeof code === "number" ? code : 500) : exchange.status;
  const isQuota = status === 429;
  const daily = isQuota && !noTier(message) && quotaIds(details).some((id) => /PerDay|Daily/i.test(id));
  const retryable = isTransient(status, reason) && !daily && !(isQuota && (noTier(message) || isUsedUp(details)));
  return {
    error: {
      status,
      reason,
      retryable,
      retryAfterMs: retryable ? waitIn(exchange, message, details, isQuota) : undefined,
      hasReset: daily,
      details,
    },
    words: wordsOf(message === "" ? titleOf(exchange.responseBody) : message),
  };
}

/** The error object, at any place; undefined if the body is invalid JSON. */
function errorIn(exchange: Exchange): Json {
  try {
    const error = chunksOf(exchange).find(isError)?.["error"];
    return isJson(error) ? innermost(error) : {};
  } catch {
    return {};
  }
}

/** Gateways put the service's error as a text into their own message. */
function innermost(error: Json): Json {
  const nested = /\{.*\}/s.exec(String(error["message"]))?.[0];
  if (nested === undefined) return error;
  try {
    const { error: inner } = JSON.parse(nested) as Json;
    return isJson(inner) ? { ...error, ...innermost(inner) } : error;
  } catch {
    return error;
  }
}

function isTransient(status: number, reason: unknown): boolean {
  const terminal = ["model_not_found", "invalid_api_key", "insufficient_user_quota", "insufficient_quota"];
  return ([408, 429, 499].includes(status) || (status >= 500 && status !== 501)) && !terminal.includes(String(reason));
}

function noTier(message: string): boolean {
  return /\blimit: 0(?![\d.])/.test(message);
}

function isUsedUp(details: readonly unknown[]): boolean {
  const reasons = new Set(["QUOTA_EXHAUSTED", "MODEL_CAPACITY_EXHAUSTED", "INSUFFICIENT_G1_CREDITS_BALANCE"]);
  return ofType(details, "ErrorInfo").some(({ reason }) => reasons.has(String(reason)));
}

/** The wait that the service asks for, in milliseconds: from `RetryInfo`, a sentence or a header, else a minute. */
function waitIn(
  { responseHeaders }: Exchange,
  message: string,
  details: readonly unknown[],
  isQuota: boolean,
): number | undefined {
  const info = ofType(details, "RetryInfo")[0]?.["retryDelay"];
  const header = Object.entries(responseHeaders ?? {}).find(([name]) => name.toLowerCase() === "retry-after")?.[1];
  const said = milliseconds(info) ?? milliseconds(/retry in ([\d.hms]+)/i.exec(message)?.[1]);
  const seconds = header !== undefined && /^\d+$/.test(header) ? Number(header) * 1000 : undefined;
  const perMinute =
    quotaIds(details).some((id) => id.includes("PerMinute")) ||
    ofType(details, "ErrorInfo").some(({ reason }) => reason === "RATE_LIMIT_EXCEEDED");
  return said ?? seconds ?? (isQuota && perMinute ? 60_000 : undefined);
}

function milliseconds(duration: unknown): number | undefined {
  const amounts = [...String(duration).matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  if (amounts.length === 0) return undefined;
  return Math.ceil(amounts.reduce((sum, [, amount, unit = "s"]) => sum + Number(amount) * (units[unit] ?? 0), 0));
}

function quotaIds(details: readonly unknown[]): readonly string[] {
  return ofType(details, "QuotaFailure").flatMap(({ violations }) =>
    listOf(violations)
      .filter(isJson)
      .map(({ quotaId }) => String(quotaId)),
  );
}

function ofType(details: readonly unknown[], type: string): readonly Json[] {
  return details.filter(isJson).filter((detail) => String(detail["@type"]).endsWith(`google.rpc.${type}`));
}

/** Title of a web page; any other body unchanged. */
function titleOf(body: string): string {
  return /<title[^>]*>([^<]*)/i.exec(body)?.[1] ?? body;
}

function wordsOf(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 200).trim();
}
