import { AgentError } from "./agent-error.ts";

/** What the service said about a quota, read from `QuotaFailure` details. */
export interface QuotaViolation {
  /** Metric that ran out, such as `generativelanguage.googleapis.com/generate_content_free_tier_requests`. */
  readonly quotaMetric?: string | undefined;
  /** Id of the limit; one with `PerDay` in it will not recover before the reset. */
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
  /** Wait the service asked for, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** When a daily quota resets, as milliseconds since the epoch; set for exhausted daily quotas only. */
  readonly resetsAt?: number | undefined;
  /** Quota violations, when the service listed them. */
  readonly quotaViolations?: readonly QuotaViolation[] | undefined;
  /** The `details` list of the error body as it came. */
  readonly details?: readonly unknown[] | undefined;
  /** Id to quote to the operator of the endpoint, when one was given. */
  readonly requestId?: string | undefined;
  /** Host and path that answered, without query. */
  readonly url?: string | undefined;
}

/** The service (or a gateway before it) refused the request or failed on it. */
export class ApiStatusError extends AgentError {
  override readonly name = "ApiStatusError";
  override readonly code = "api_status";
  override readonly retryable: boolean;
  /** {@inheritDoc ApiStatusFacts.status} */
  readonly status: number;
  /** {@inheritDoc ApiStatusFacts.reason} */
  readonly reason: string | undefined;
  /** {@inheritDoc ApiStatusFacts.retryAfterMs} */
  readonly retryAfterMs: number | undefined;
  /** {@inheritDoc ApiStatusFacts.resetsAt} */
  readonly resetsAt: number | undefined;
  /** {@inheritDoc ApiStatusFacts.quotaViolations} */
  readonly quotaViolations: readonly QuotaViolation[];
  /** {@inheritDoc ApiStatusFacts.details} */
  readonly details: readonly unknown[];
  /** {@inheritDoc ApiStatusFacts.requestId} */
  readonly requestId: string | undefined;
  /** {@inheritDoc ApiStatusFacts.url} */
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

/** No answer came: connection refused, reset, DNS, TLS. `cause` is what `fetch` threw. */
export class ApiNetworkError extends AgentError {
  override readonly name = "ApiNetworkError";
  override readonly code = "api_network";
  override readonly retryable = true;
}

/** Which of the client's time limits ended the call. */
export type TimeoutKind = "first-byte" | "idle" | "total";

/** One of the client's own time limits ran out. */
export class ApiTimeoutError extends AgentError {
  override readonly name = "ApiTimeoutError";
  override readonly code = "api_timeout";
  override readonly retryable: boolean;
  /** Which limit: until the first byte, between chunks, or for the whole call. */
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

/** The answer was not what the API documents (not JSON, not an object, too large). */
export class ApiShapeError extends AgentError {
  override readonly name = "ApiShapeError";
  override readonly code = "api_shape";
  /** Where in the body, as a JSON path; `$` is the body itself. */
  readonly path: string;
  /** At most 200 characters of what was there. */
  readonly excerpt: string;

  constructor(message: string, path: string, excerpt: string, options?: ErrorOptions) {
    super(message, options);
    this.path = path;
    this.excerpt = excerpt.slice(0, 200);
  }
}

/** What had come of an answer that was given up: a content as the API sends it. */
export interface PartialAnswer {
  readonly role: string;
  readonly parts: readonly object[];
}

/**
 * The body ended before any candidate carried a finish reason; or a long answer broke off again and again, which the
 * library gives up on (`retryable` is false then, and `cause` says what happened last).
 */
export class StreamIncompleteError extends AgentError {
  override readonly name = "StreamIncompleteError";
  override readonly code = "stream_incomplete";
  override readonly retryable: boolean;
  /** What had come up to the last checkpoint, of an answer that was given up. Its end is missing. */
  readonly partial: PartialAnswer | undefined;

  constructor(message: string, options: ErrorOptions & { readonly partial?: PartialAnswer | undefined } = {}) {
    const { partial, ...rest } = options;
    super(message, rest);
    this.retryable = partial === undefined;
    this.partial = partial;
  }
}

/** The prompt was refused before any candidate was made (`promptFeedback.blockReason`). */
export class ResponseBlockedError extends AgentError {
  override readonly name = "ResponseBlockedError";
  override readonly code = "response_blocked";
  /** The service's word, such as `SAFETY` or `PROHIBITED_CONTENT`. */
  readonly blockReason: string;
  /** Ratings that came with the refusal, as they came. */
  readonly safetyRatings: readonly unknown[];
  /** Size of the refused prompt, in tokens; it is paid for all the same. 0 when the service did not say. */
  readonly promptTokens: number;

  constructor(message: string, blockReason: string, safetyRatings: readonly unknown[], promptTokens: number = 0) {
    super(message);
    this.blockReason = blockReason;
    this.safetyRatings = safetyRatings;
    this.promptTokens = promptTokens;
  }
}

/** An uploaded file cannot be used: the service failed to process it, or had not finished when the wait ended. */
export class FileStateError extends AgentError {
  override readonly name = "FileStateError";
  override readonly code = "file_state";
  override readonly retryable: boolean;
  /** Such as `files/abc123`. */
  readonly file: string;
  /** The service's word: `FAILED`, or `PROCESSING` when the wait ended before the service did; then `retryable` is true. */
  readonly state: string;

  constructor(message: string, file: string, state: string, options?: ErrorOptions) {
    super(message, options);
    this.file = file;
    this.state = state;
    this.retryable = state !== "FAILED";
  }
}

/**
 * A request was not sent, because too many wait for the same endpoint, or because it waited too long. Nothing was paid for;
 * the client does not try again by itself.
 */
export class TrafficLimitError extends AgentError {
  override readonly name = "TrafficLimitError";
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

/**
 * A turn has sent as many requests as it may, because one thing after another was asked again. `cause` is the last failure that a
 * request met, if any did.
 */
export class RequestLimitError extends AgentError {
  override readonly name = "RequestLimitError";
  override readonly code = "request_limit";
  /** The limit: requests of one turn. */
  readonly limit: number;

  constructor(limit: number, options?: ErrorOptions) {
    super(
      `This turn sent ${limit} requests without a usable answer: see the cause and the log, or raise maxRequestsPerTurn.`,
      options,
    );
    this.limit = limit;
  }
}
