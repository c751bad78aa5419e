import { AgentError } from "./agent-error.ts";

/** An exceeded quota, from the `QuotaFailure` details of an error. */
export interface QuotaViolation {
  /** Metric that was exceeded, such as `generativelanguage.googleapis.com/generate_content_free_tier_requests`. */
  readonly quotaMetric?: string | undefined;
  /** Id of the limit; one that contains `PerDay` lasts until the daily reset. */
  readonly quotaId?: string | undefined;
  /** The limit itself, a decimal string. */
  readonly quotaValue?: string | undefined;
}

/** Facts of an {@link ApiStatusError}. */
export interface ApiStatusFacts {
  /** HTTP status, or the code inside an error object that arrived in a stream. */
  readonly status: number;
  /** The service's word (`RESOURCE_EXHAUSTED`), or a gateway's code (`model_not_found`). */
  readonly reason?: string | undefined;
  /** True when the same request may succeed later. */
  readonly retryable: boolean;
  /** Wait that the service asked for, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** When a daily quota resets, as milliseconds since the epoch; set for exhausted daily quotas only. */
  readonly resetsAt?: number | undefined;
  /** Exceeded quotas, if the service listed them. */
  readonly quotaViolations?: readonly QuotaViolation[] | undefined;
  /** The unchanged `details` list of the error body. */
  readonly details?: readonly unknown[] | undefined;
  /** Id of the request for the endpoint's operator, if any. */
  readonly requestId?: string | undefined;
  /** Host and path of the request, without query. */
  readonly url?: string | undefined;
}

/** The service, or a gateway in front of it, responded with an error. See {@link ApiStatusFacts}. */
export class ApiStatusError extends AgentError implements ApiStatusFacts {
  static override readonly name = "ApiStatusError";
  override readonly code = "api_status";
  override readonly retryable: boolean;
  readonly status: number;
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly resetsAt: number | undefined;
  readonly quotaViolations: readonly QuotaViolation[];
  readonly details: readonly unknown[];
  readonly requestId: string | undefined;
  readonly url: string | undefined;

  constructor(message: string, facts: ApiStatusFacts, options?: ErrorOptions) {
    super(message, options);
    this.status = facts.status;
    this.reason = facts.reason;
    this.retryable = facts.retryable;
    this.retryAfterMs = facts.retryAfterMs;
    this.resetsAt = facts.resetsAt;
    this.quotaViolations = facts.quotaViolations ?? [];
    this.details = facts.details ?? [];
    this.requestId = facts.requestId;
    this.url = facts.url;
  }
}

/** There was no response, or it was cut off: connection refused, reset, DNS, TLS. `cause` is the error of `fetch`. */
export class ApiNetworkError extends AgentError {
  static override readonly name = "ApiNetworkError";
  override readonly code = "api_network";
  override readonly retryable = true;
}

/** Which of the client's time limits passed. */
export type TimeoutKind = "first-byte" | "idle" | "total";

/** One of the client's own time limits passed. */
export class ApiTimeoutError extends AgentError {
  static override readonly name = "ApiTimeoutError";
  override readonly code = "api_timeout";
  override readonly retryable: boolean;
  /** Until the first byte, between reads, or for the whole attempt. */
  readonly kind: TimeoutKind;
  /** The limit, in milliseconds. */
  readonly limitMs: number;

  constructor(kind: TimeoutKind, limitMs: number, message: string) {
    super(message);
    this.kind = kind;
    this.limitMs = limitMs;
    this.retryable = kind !== "total";
  }
}

/** The response does not have the documented shape (not JSON, not an object), is too large, or nests more than 500 levels. */
export class ApiShapeError extends AgentError {
  static override readonly name = "ApiShapeError";
  override readonly code = "api_shape";
  /** Where in the body, as a JSON path; `$` is the body itself. */
  readonly path: string;
  /** The first characters found there, at most 200. */
  readonly excerpt: string;

  constructor(message: string, path: string, excerpt: string, options?: ErrorOptions) {
    super(message, options);
    this.path = path;
    this.excerpt = excerpt.slice(0, 200);
  }
}

/** The received part of an incomplete answer: a content as the API sends it. */
export interface PartialResponse {
  readonly role: string;
  readonly parts: readonly object[];
}

/** The body ended before a candidate had a finish reason; or a long answer was cut off so often that the library gave up, with a `partial`. */
export class StreamIncompleteError extends AgentError {
  static override readonly name = "StreamIncompleteError";
  override readonly code = "stream_incomplete";
  override readonly retryable: boolean;
  /** The answer up to the last checkpoint, if the library gave up on it. */
  readonly partial: PartialResponse | undefined;

  constructor(message: string, options: ErrorOptions & { readonly partial?: PartialResponse | undefined } = {}) {
    const { partial, ...rest } = options;
    super(message, rest);
    this.retryable = partial === undefined;
    this.partial = partial;
  }
}

/** The prompt was blocked before there was a candidate (`promptFeedback.blockReason`). */
export class ResponseBlockedError extends AgentError {
  static override readonly name = "ResponseBlockedError";
  override readonly code = "response_blocked";
  /** The service's word, such as `SAFETY` or `PROHIBITED_CONTENT`. */
  readonly blockReason: string;
  /** The service's ratings, unchanged. */
  readonly safetyRatings: readonly unknown[];
  /** Size of the blocked prompt in tokens, which is billed; 0 if the service did not report it. */
  readonly promptTokens: number;

  constructor(message: string, blockReason: string, safetyRatings: readonly unknown[], promptTokens: number = 0) {
    super(message);
    this.blockReason = blockReason;
    this.safetyRatings = safetyRatings;
    this.promptTokens = promptTokens;
  }
}

/** An uploaded file cannot be used: the service failed to process it, or was still processing it when the wait ended. */
export class FileStateError extends AgentError {
  static override readonly name = "FileStateError";
  override readonly code = "file_state";
  override readonly retryable: boolean;
  /** Name of the file, such as `files/abc123`. */
  readonly file: string;
  /** The service's word: `FAILED`, or `PROCESSING` if the wait ended first; then `retryable` is true. */
  readonly state: string;

  constructor(message: string, file: string, state: string, options?: ErrorOptions) {
    super(message, options);
    this.file = file;
    this.state = state;
    this.retryable = state !== "FAILED";
  }
}

/** A request was not sent: the queue for its endpoint is full, or it was queued for too long. Nothing is billed, and it is not retried. */
export class TrafficLimitError extends AgentError {
  static override readonly name = "TrafficLimitError";
  override readonly code = "traffic_limit";
  override readonly retryable = true;
  /** Option of `Traffic` whose limit was reached. */
  readonly limit: "maxQueued" | "maxQueueMs";
  /** The limit itself: requests, or milliseconds. */
  readonly value: number;

  constructor(limit: "maxQueued" | "maxQueueMs", value: number, message: string) {
    super(message);
    this.limit = limit;
    this.value = value;
  }
}

/** A turn has used up its requests, including retries of all kinds. `cause` is the last failure, if a request failed. */
export class RequestLimitError extends AgentError {
  static override readonly name = "RequestLimitError";
  override readonly code = "request_limit";
  /** The limit: requests of one turn. */
  readonly limit: number;

  constructor(limit: number, options?: ErrorOptions) {
    super(
      `This turn sent ${limit} requests without a usable answer: see the cause and the log, or raise limits.requestsPerTurn.`,
      options,
    );
    this.limit = limit;
  }
}

/** A request was not sent, because the application's processes together have used up their quota. Nothing is billed; it is not retried. */
export class QuotaReachedError extends AgentError {
  static override readonly name = "QuotaReachedError";
  override readonly code = "quota_reached";
  /** Option of `Quota` whose limit was reached. */
  readonly limit: "requestsPerMinute" | "tokensPerMinute" | "costPerDay";
  /** The limit itself. */
  readonly value: number;
  /** When there is room again, in milliseconds since the epoch. */
  readonly resetsAt: number;

  constructor(message: string, limit: QuotaReachedError["limit"], value: number, resetsAt: number) {
    super(message);
    this.limit = limit;
    this.value = value;
    this.resetsAt = resetsAt;
  }
}
