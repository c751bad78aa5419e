import { AgentError } from "../../errors/agent-error.ts";
import {
  ApiNetworkError,
  ApiStatusError,
  type ApiStatusFacts,
  ApiTimeoutError,
  type TimeoutKind,
} from "../../errors/api-errors.ts";
import { processEnvironment } from "../../internal/environment.ts";
import { findSpelling, type Spellings } from "../../internal/option-names.ts";
import { wordsIn } from "../../internal/text.ts";
import { isLoopback } from "../endpoints/endpoint.ts";
import {
  type ErrorBody,
  judgeQuota,
  type QuotaVerdict,
  readErrorText,
  readErrorValue,
  serverDelay,
} from "./error-body.ts";
import { suggestModel } from "../known-models.ts";
import { redact, redactValue } from "../secrets/redact.ts";
import type { AnswerHeaders } from "../http/transport.ts";

/** Context of a failed request. */
export interface FailureContext {
  readonly headers?: AnswerHeaders | undefined;
  /** URL of the request; only host and path are kept. */
  readonly url?: string | undefined;
  /** Values to redact, in case the body echoes them. */
  readonly secrets?: readonly string[] | undefined;
  /** Milliseconds since the epoch. @defaultValue `Date.now()` */
  readonly now?: number | undefined;
}

/** HTTP status and body → error. The body may be anything: Google's JSON, a gateway's, a list, HTML, empty. */
export function statusError(status: number, bodyText: string, context: FailureContext = {}): ApiStatusError {
  // Takes the status line's code: some gateways respond with a code of their own, and have their upstream's in the body.
  return buildError(status, readErrorText(bodyText), context);
}

/** Error object in a response with status 200, as an event of a stream or as the body → error. */
export function embeddedError(value: unknown, context: FailureContext = {}): ApiStatusError {
  const body = readErrorValue(value);
  const status = body.code ?? Number(findSpelling(WORDS, body.reason ?? "") ?? 500);
  return buildError(status, body, context);
}

/** Error for a redirect, which is never followed: it would send the key to another host. */
export function redirectError(status: number, location: string | null, context: FailureContext = {}): ApiStatusError {
  const target = location === null ? "elsewhere" : `to ${hostAndPath(location, context.url)}`;
  const message = `The endpoint redirects ${target} (${status}); the redirect is not followed because it would forward the API key; set baseUrl to the final URL.`;
  return new ApiStatusError(clean(message, context), { status, retryable: false, url: hostAndPath(context.url) });
}

/** Host and path of a URL, without query and credentials. */
export function hostAndPath(url: string | undefined, base?: string): string | undefined {
  if (url === undefined || !URL.canParse(url, base)) return undefined;
  const { host, pathname } = new URL(url, base);
  return host + pathname;
}

const RETRYABLE: ReadonlySet<number> = new Set([408, 429, 499, 500, 502, 503, 504]);

/** Codes of gateways for which a retry does not help, whatever the status. */
const TERMINAL_CODES = wordsIn("model_not_found invalid_api_key insufficient_user_quota insufficient_quota");

/** The words for each status, separated by spaces. */
const WORDS: Spellings = {
  400: "INVALID_ARGUMENT FAILED_PRECONDITION OUT_OF_RANGE",
  401: "UNAUTHENTICATED invalid_api_key",
  403: "PERMISSION_DENIED insufficient_user_quota",
  404: "NOT_FOUND",
  409: "ABORTED",
  429: "RESOURCE_EXHAUSTED",
  499: "CANCELLED",
  500: "INTERNAL UNKNOWN",
  501: "UNIMPLEMENTED",
  503: "UNAVAILABLE model_not_found",
  504: "DEADLINE_EXCEEDED",
};

/** Longest message of the service that an error repeats, in characters. */
const MAX_MESSAGE = 2000;

function buildError(status: number, received: ErrorBody, context: FailureContext): ApiStatusError {
  // Before anything reads or truncates the body, so that no part of a key remains.
  const body = cleanBody(received, context);
  const now = context.now ?? Date.now();
  const { headers } = context;
  const terminal = body.reason !== undefined && TERMINAL_CODES.has(body.reason);
  const retryable = !terminal && (RETRYABLE.has(status) || (status > 504 && status < 600));
  const quota: QuotaVerdict =
    status === 429
      ? judgeQuota(body, headers, now)
      : { retryable, retryAfterMs: retryable ? serverDelay(body, headers, now) : undefined };
  const facts: ApiStatusFacts = {
    ...quota,
    status,
    reason: body.reason,
    retryable: retryable && quota.retryable,
    details: body.details,
    requestId: requestId(body, context),
    url: hostAndPath(context.url),
  };
  const advice = adviceFor(facts, body.message);
  const word = body.reason === undefined ? "" : ` ${body.reason}`;
  const message = body.message.replaceAll(/\s+/g, " ").trim().slice(0, MAX_MESSAGE);
  const start = `The API responded with ${status}${word}${message === "" ? "." : `: ${message}`}`;
  if (advice === "") return new ApiStatusError(start, facts);
  return new ApiStatusError(`${start}${/[.!?]$/.test(start) ? "" : "."} ${advice}`, facts);
}

/** Advice for the reader, as one sentence; empty if there is none. */
function adviceFor({ status, reason, retryable, retryAfterMs, resetsAt, url }: ApiStatusFacts, text: string): string {
  const [, model = ""] = /\/models\/([^/:]+):\w+$/.exec(url ?? "") ?? [];
  if (reason === "model_not_found")
    return `The gateway has no such model${suggestModel(model)}: call listModels or see its model list.`;
  if (
    /api[ _]key (?:not valid|expired)|reported as leaked|unregistered callers|invalid token/i.test(text) ||
    reason === "invalid_api_key" ||
    status === 401
  )
    return "Check the key: GOOGLE_API_KEY or GEMINI_API_KEY for Google, COMETAPI_KEY for CometAPI, or the endpoint's apiKey option.";
  if (/user location is not supported/i.test(text)) return "Use Vertex AI or a gateway from this region.";
  if (status === 402 || reason === "insufficient_user_quota" || reason === "insufficient_quota")
    return "Credits are used up: add credits; waiting will not help.";
  if (/input token count.*exceeds the maximum/is.test(text))
    return "Send less: compact the history (drop or summarize old turns), shorten long tool results, or use a model with a larger context.";
  if (/not in an ACTIVE state/i.test(text)) return "Wait until the file is ACTIVE, then retry.";
  if (status === 403) return "Check that the key's project has access to this API and resource.";
  if (status === 404)
    return `Check the model id${suggestModel(model) || ", for example gemini-flash-latest,"} and the base URL; listModels lists the models of this key.`;
  if (status === 413) return "Send less: shorten the history or upload large files instead of inlining them.";
  if (status === 429 && /\blimit: 0(?![\d.])/.test(text))
    return "This model is not in the key's tier: use another model or a higher tier; waiting will not help.";
  if (resetsAt !== undefined)
    return `The daily quota resets at ${new Date(resetsAt).toISOString()}; until then use another model or a paid tier.`;
  if (status === 429 && !retryable) return "Waiting will not help: use another model or a higher tier.";
  if (retryAfterMs !== undefined) return `Try again after ${Math.ceil(retryAfterMs / 1000)} s.`;
  return retryable && !/\btry again\b/i.test(text) ? "Try again later." : "";
}

function requestId({ message }: ErrorBody, context: FailureContext): string | undefined {
  const names = ["x-request-id", "x-oneapi-request-id", "x-goog-request-id"];
  const id = names.map((name) => context.headers?.get(name)).find((value) => value);
  return id ? clean(id, context).slice(0, 200) : /\(request id: ([\w-]+)\)/.exec(message)?.[1];
}

function cleanBody(body: ErrorBody, context: FailureContext): ErrorBody {
  return {
    ...body,
    message: clean(body.message, context),
    reason: body.reason && clean(body.reason, context),
    details: body.details.map((detail) => redactValue(detail, context.secrets ?? [])),
  };
}

function clean(text: string, { secrets = [] }: FailureContext): string {
  return redact(text, secrets);
}

/** The error of a `fetch`, with advice. @param what - Start of the message, before the host. @param secrets - Redacted in the message. */
export function networkError(error: unknown, url: string, what: string, secrets: readonly string[]): Error {
  if (error instanceof AgentError) return error;
  const reasons = readReasons(error);
  const why = reasons.length > 0 ? ` (${redact(reasons.join(": "), secrets)})` : "";
  return new ApiNetworkError(`${what} ${hostAndPath(url) ?? "the endpoint"}${why}; ${adviseOn(reasons, url)}.`, {
    cause: error,
  });
}

/** The codes of an error and its cause, or their messages. */
function readReasons(error: unknown): string[] {
  return [error, error instanceof Error ? error.cause : undefined]
    .map((cause) =>
      cause instanceof Error ? ("code" in cause && typeof cause.code === "string" && cause.code) || cause.message : "",
    )
    .filter((text) => text !== "");
}

const PROXY_VARIABLES = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];

/** The host does not exist, or cannot be reached from here. */
const UNREACHABLE = /^(?:ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;

const UNTRUSTED = /CERT|^UNABLE_TO_/;

function adviseOn(reasons: readonly string[], url: string): string {
  const isAny = (pattern: RegExp): boolean => reasons.some((reason) => pattern.test(reason));
  if (isAny(UNTRUSTED))
    return "its certificate is not trusted: behind a company's proxy, set NODE_EXTRA_CA_CERTS to the file of its certificate";
  if (isLoopback(url))
    return isAny(/^ECONNREFUSED$/)
      ? "nothing listens there: start the server (`npx @pollux/cli emulator --port 8787` is one), or correct the base URL"
      : DEFAULT;
  const env = processEnvironment();
  const proxy = PROXY_VARIABLES.find((name) => env[name]);
  if (proxy !== undefined) {
    const usesProxy = isAny(/^ERR_PROXY_TUNNEL$/) || env["NODE_USE_ENV_PROXY"] === "1";
    if (usesProxy) return `check the address of the proxy in ${proxy}, and the user and password in it`;
    if (isAny(UNREACHABLE))
      return `${proxy} is set, but Node uses it only with NODE_USE_ENV_PROXY=1 (Node 22.21, 24.5 or later)`;
  }
  return DEFAULT;
}

const DEFAULT = "check the network and the base URL";

/** The error for a time limit that has passed. */
export function timeoutError(kind: TimeoutKind, limitMs: number): ApiTimeoutError {
  const message = {
    "first-byte": `No byte of the response arrived within ${limitMs} ms; raise timeouts.firstByteMs if the model may think longer.`,
    idle: `The response stalled for ${limitMs} ms; raise timeouts.idleMs if the model may pause longer.`,
    total: `The response was not complete after ${limitMs} ms; raise timeouts.totalMs or request less at once.`,
  }[kind];
  return new ApiTimeoutError(kind, limitMs, message);
}
