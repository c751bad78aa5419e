import { sleep } from "../internal/abort.ts";
import { triedTimes } from "./model-texts.ts";
import type { ToolRetries } from "./retry-policy.ts";
import type { ToolFailureKind, ToolOutcome } from "./tool.ts";

/** An attempt has failed, and another one follows. */
export interface ToolRetryNotice {
  /** Number of the attempt that failed, from 1. */
  readonly attempt: number;
  readonly delayMs: number;
  /** As the model would read it. */
  readonly error: { readonly kind: ToolFailureKind; readonly message: string };
}

/** How one attempt ended. */
export interface AttemptEnd {
  readonly outcome: ToolOutcome;
  /** What `run` threw; absent when there is nothing to try again. */
  readonly thrown?: { readonly error: unknown; readonly isForModel: boolean } | undefined;
}

/**
 * Makes attempts until one succeeds or none is left. Never rejects.
 *
 * @param signal - Ends a wait; the outcome is then that of the last attempt.
 */
export async function retryCall(
  policy: ToolRetries,
  signal: AbortSignal,
  make: (attempt: number) => Promise<AttemptEnd>,
  onRetry: (notice: ToolRetryNotice) => void | Promise<void>,
  onError: (error: unknown) => void,
): Promise<ToolOutcome> {
  for (let attempt = 1; ; attempt++) {
    const { outcome, thrown } = await make(attempt);
    if (outcome.ok || thrown === undefined || signal.aborted) return outcome;
    const isWorthIt = async (): Promise<boolean> =>
      policy.when === undefined ? !thrown.isForModel : await policy.when(thrown.error, attempt);
    try {
      if (attempt < policy.maxAttempts && (await isWorthIt())) {
        const delayMs = delayAfter(attempt, policy);
        await onRetry({ attempt, delayMs, error: { kind: outcome.kind, message: outcome.message } });
        await sleep(delayMs, signal);
        continue;
      }
    } catch (error) {
      if (!signal.aborted) onError(error);
    }
    return attempt === 1 ? outcome : { ...outcome, message: triedTimes(outcome.message, attempt) };
  }
}

function delayAfter(attempt: number, { minDelayMs, maxDelayMs }: ToolRetries): number {
  return Math.round(Math.min(maxDelayMs, minDelayMs * 2 ** (attempt - 1)) * (1 - Math.random() / 2));
}
