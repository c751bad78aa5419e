import { AgentError } from "../../errors/agent-error.ts";
import { ApiStatusError, RequestLimitError, TrafficLimitError } from "../../errors/api-errors.ts";

/** How often to retry a request, and how long to wait in between. */
export interface RetryPolicy {
  /** Attempts in total, including the first; 1 disables retries. @defaultValue 4 */
  readonly maxAttempts: number;
  /** First wait if the service asks for none; doubles with each attempt. @defaultValue 500 */
  readonly minDelayMs: number;
  /** Longest wait if the service asks for none. @defaultValue 30_000 */
  readonly maxDelayMs: number;
  /** Longest wait the service may ask for; if it asks for more, the request fails immediately. @defaultValue 300_000 */
  readonly maxServerDelayMs: number;
}

/** Four attempts; 0.5, 1 and 2 seconds apart unless the service asks for a wait. */
export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 4,
  minDelayMs: 500,
  maxDelayMs: 30_000,
  maxServerDelayMs: 300_000,
};

/** A request failed and is retried after a wait. */
export interface RetryNotice {
  /** Number of the attempt that failed, from 1. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly error: { readonly code: string; readonly message: string; readonly status?: number | undefined };
}

/** Milliseconds to wait after a failed attempt; undefined if it is not worth a retry. */
export function delayFor(
  error: unknown,
  attempt: number,
  policy: RetryPolicy,
  random: () => number,
): number | undefined {
  if (!(error instanceof AgentError) || !error.retryable || error instanceof TrafficLimitError) return undefined;
  const serverDelayMs = error instanceof ApiStatusError ? error.retryAfterMs : undefined;
  // It may be 0: a date that has passed on this clock.
  if (serverDelayMs !== undefined && serverDelayMs > 0) {
    // Never earlier than asked, and a little later, so that clients do not all retry at once. For a limited endpoint, `rate-gate.ts` decides.
    return serverDelayMs > policy.maxServerDelayMs ? undefined : Math.round(serverDelayMs * (1 + 0.2 * random()));
  }
  const backoff = Math.min(policy.maxDelayMs, policy.minDelayMs * 2 ** (attempt - 1));
  return Math.round(backoff * (1 - 0.3 * random()));
}

/** An error as a notice reports it. */
export function describe(error: Error): RetryNotice["error"] {
  const code = error instanceof AgentError ? error.code : error.name;
  return { code, message: error.message, ...(error instanceof ApiStatusError && { status: error.status }) };
}

/** How many requests one turn may send, including every kind of retry. */
export class RequestBudget {
  readonly limit: number;
  /** Requests sent so far, and how many of them the service accepted. */
  sent = 0;
  accepted = 0;
  #left: number;
  #lastFailure: { readonly cause: unknown } | undefined;

  constructor(limit: number) {
    this.limit = limit;
    this.#left = limit;
  }

  get isSpent(): boolean {
    return this.#left <= 0;
  }

  /** @throws {RequestLimitError} When none is left. */
  take(): void {
    if (this.isSpent) throw new RequestLimitError(this.limit, this.#lastFailure);
    this.#left--;
  }

  /** Remembers the failure that causes the next request. */
  failed(error: unknown): void {
    this.#lastFailure = { cause: error };
  }
}
