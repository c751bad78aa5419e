/** How the calls of a tool run. */
export interface ToolSettings {
  /** Whether calls run alone, never in parallel with other calls of the turn. @defaultValue false */
  readonly sequential: boolean;
  /** Milliseconds until the call is answered with a timeout; `Infinity` for none. @defaultValue 60_000 */
  readonly timeoutMs: number;
  /** Maximum result size in bytes of JSON; a longer result is cut, with a note to the model. @defaultValue 65_536 */
  readonly maxResultBytes: number;
  /** Invalid calls (bad arguments, `ModelRetry`) after which the tool is disabled for the run. @defaultValue 3 */
  readonly maxModelRetries: number;
  /**
   * Side effects of the function, which decide about a call that a crash interrupted. In a resumed run, `none` (read-only) and `idempotent`
   * (passes `ToolContext.idempotencyKey` on) run again, `once` does not. @defaultValue "idempotent"
   */
  readonly effects: ToolEffects;
  /** For `effects: "once"`: who decides whether an interrupted call took effect. @defaultValue "ask" */
  readonly unknownOutcome: UnknownOutcome;
  /**
   * Whether the model reads the messages of all errors, in at most 500 characters and without stacks: they may contain paths, addresses or
   * passwords. Otherwise, it reads only those of `ToolError` and `ModelRetry`. @defaultValue false
   */
  readonly exposeErrors?: boolean | undefined;
  /** Milliseconds until a pending question about a call expires and the call is not run. A session checks this when resumed. @defaultValue never */
  readonly answerTimeoutMs?: number | undefined;
}

/** Side effects of a tool: none, safe to repeat with the same key, or must not happen twice. */
export type ToolEffects = "none" | "idempotent" | "once";

/** Who decides whether an interrupted call took effect: the caller that resumes the run, or the model. */
export type UnknownOutcome = "ask" | "tell-model";

/** When a failed tool runs again within its call. */
export interface ToolRetryPolicy {
  /** Attempts in total, including the first. @defaultValue 3 */
  readonly maxAttempts?: number | undefined;
  /** First wait in milliseconds; doubles with each attempt. Each wait is shortened at random by up to half. @defaultValue 500 */
  readonly minDelayMs?: number | undefined;
  /** Longest wait in milliseconds. @defaultValue 30_000 */
  readonly maxDelayMs?: number | undefined;
  /** Milliseconds for all attempts and waits together; `timeoutMs` limits each attempt. @defaultValue `Infinity`: `maxAttempts` limits it */
  readonly totalTimeoutMs?: number | undefined;
  /** Whether to try again after an error: after `timeoutMs`, a `TimeoutError`. @defaultValue after all but `ToolError` and `ModelRetry` */
  readonly when?: ((error: unknown, attempt: number) => boolean | Promise<boolean>) | undefined;
}

/** A policy with all defaults filled in. */
export interface ToolRetries
  extends
    Pick<ToolRetryPolicy, "when">,
    Readonly<Record<"maxAttempts" | "minDelayMs" | "maxDelayMs" | "totalTimeoutMs", number>> {}
