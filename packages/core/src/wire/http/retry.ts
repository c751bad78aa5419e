import { AgentError } from "../../errors/agent-error.ts";
import { ApiStatusError, RequestLimitError, TrafficLimitError } from "../../errors/api-errors.ts";
import { sleep } from "../../internal/abort.ts";

/** How often and how patiently a request is sent again. */
export interface RetryPolicy {
  /** Attempts in total, the first included; 1 switches retrying off. @defaultValue 4 */
  readonly maxAttempts: number;
  /** First wait when the service named none; doubles with each attempt. @defaultValue 500 */
  readonly minDelayMs: number;
  /** Longest wait when the service named none. @defaultValue 30_000 */
  readonly maxDelayMs: number;
  /** Longest wait the service may ask for; the request fails at once if it asks for more. @defaultValue 300_000 */
  readonly maxServerDelayMs: number;
}

/** Four attempts; 0.5, 1 and 2 seconds apart unless the service says otherwise. */
export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 4,
  minDelayMs: 500,
  maxDelayMs: 30_000,
  maxServerDelayMs: 300_000,
};

/** A request failed and is sent again after a wait. */
export interface RetryNotice {
  /** Number of the attempt that failed, from 1. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly error: { readonly code: string; readonly message: string; readonly status?: number | undefined };
}

/** What {@link withRetry} needs besides the call. */
export interface RetryOptions {
  readonly policy: RetryPolicy;
  /** Aborting it ends a wait at once; the promise then rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Number from 0 to 1, for jitter. */
  readonly random: () => number;
  /** Called before each wait; must not throw. */
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined;
  /** How long the next attempt will be held back by itself because of this error, in milliseconds. There is no other wait then. */
  readonly heldMs?: ((error: AgentError) => number | undefined) | undefined;
}

/**
 * Runs `call` until it succeeds, fails for good, or the policy is used up; rejects with the last error as it was thrown.
 *
 * Only errors of this library that say so ({@link AgentError.retryable}) are retried.
 *
 * @param call - Gets the number of the attempt, from 1.
 * @param options - Asked for with the first failure: nearly every call needs none.
 */
export async function withRetry<T>(
  call: (attempt: number) => Promise<T>,
  signal: AbortSignal | undefined,
  options: (failure: AgentError) => RetryOptions,
): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await call(1);
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof AgentError) || !error.retryable) throw error;
    return await retry(error, call, options(error));
  }
}

async function retry<T>(failure: AgentError, call: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { policy, signal, random, onRetry, heldMs } = options;
  // Loaded with the first failure: an import of this library is read in every cold start.
  const { default: pRetry } = await import("p-retry");
  try {
    return await pRetry((attempt) => (attempt === 1 ? Promise.reject(failure) : call(attempt)), {
      retries: Math.max(0, policy.maxAttempts - 1),
      // p-retry's own delay would add to the one below, which it awaits.
      minTimeout: 0,
      maxTimeout: 0,
      factor: 1,
      shouldRetry: ({ error }) => delayFor(error, 1, policy, random) !== undefined,
      onFailedAttempt: async ({ error, attemptNumber, retriesLeft }) => {
        const delayMs = retriesLeft > 0 ? delayFor(error, attemptNumber, policy, random) : undefined;
        if (delayMs === undefined) return;
        const held = error instanceof AgentError ? heldMs?.(error) : undefined;
        onRetry?.({ attempt: attemptNumber, delayMs: held ?? delayMs, error: describe(error) });
        if (held === undefined) await sleep(delayMs, signal);
      },
      ...(signal && { signal }),
    });
  } catch (error) {
    // p-retry turns a reason that is no Error into one of its own; the caller gets what it aborted with.
    signal?.throwIfAborted();
    throw error;
  }
}

/** Milliseconds to wait after a failed attempt, or undefined when there is no point in another. */
export function delayFor(
  error: unknown,
  attempt: number,
  policy: RetryPolicy,
  random: () => number,
): number | undefined {
  if (!(error instanceof AgentError) || !error.retryable || error instanceof TrafficLimitError) return undefined;
  const asked = error instanceof ApiStatusError ? error.retryAfterMs : undefined;
  // A wait of nothing (a date that has passed, where clocks differ) is none.
  if (asked !== undefined && asked > 0) {
    // Never earlier than asked; a little later, so that many clients do not come back at once.
    return asked > policy.maxServerDelayMs ? undefined : Math.round(asked * (1 + 0.2 * random()));
  }
  const backoff = Math.min(policy.maxDelayMs, policy.minDelayMs * 2 ** (attempt - 1));
  return Math.round(backoff * (1 - 0.3 * random()));
}

/** What a notice says of an error. */
export function describe(error: Error): RetryNotice["error"] {
  const code = error instanceof AgentError ? error.code : error.name;
  return { code, message: error.message, ...(error instanceof ApiStatusError && { status: error.status }) };
}

/** How many requests one turn may send: each attempt takes one, whoever asks again. */
export class RequestBudget {
  readonly limit: number;
  #left: number;
  #lastFailure: { readonly error: unknown } | undefined;

  constructor(limit: number) {
    this.limit = limit;
    this.#left = limit;
  }

  /** True when no other request may be sent. */
  get isSpent(): boolean {
    return this.#left <= 0;
  }

  /** @throws {RequestLimitError} When none is left. */
  take(): void {
    if (this.isSpent)
      throw new RequestLimitError(
        this.limit,
        this.#lastFailure === undefined ? {} : { cause: this.#lastFailure.error },
      );
    this.#left--;
  }

  /** Remembers why it is asked again. */
  failed(error: unknown): void {
    this.#lastFailure = { error };
  }
}
