/** When a tool that failed is run again within its call. */
export interface ToolRetryPolicy {
  /** Attempts in total, including the first. @defaultValue 3 */
  readonly maxAttempts?: number | undefined;
  /** First wait in milliseconds; doubles with each attempt. Each wait is shortened at random by up to half. @defaultValue 500 */
  readonly minDelayMs?: number | undefined;
  /** Longest wait in milliseconds. @defaultValue 30_000 */
  readonly maxDelayMs?: number | undefined;
  /**
   * Milliseconds for all attempts and waits together; the tool's `timeoutMs` limits each attempt.
   * @defaultValue `Infinity`: the number of attempts limits it
   */
  readonly totalTimeoutMs?: number | undefined;
  /**
   * Whether an error is worth another attempt: what `run` threw, or a `TimeoutError` after `timeoutMs`. If it throws, there is none.
   * @defaultValue any error but `ToolFailure` and `ToolRetry`
   */
  readonly when?: ((error: unknown, attempt: number) => boolean | Promise<boolean>) | undefined;
}

/** A policy with all defaults filled in. */
export interface ToolRetries extends ToolRetryPolicy {
  readonly maxAttempts: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  readonly totalTimeoutMs: number;
}
