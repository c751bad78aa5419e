import type { Session } from "../agent/session.ts";
import type { OutputSchema, RunOptions } from "../agent/options.ts";
import type { RunInput } from "../agent/run-input.ts";
import { ApiStatusError, QuotaReachedError, ResponseBlockedError } from "../errors/api-errors.ts";
import { AgentError, ConfigurationError } from "../errors/agent-error.ts";
import { sleep } from "../internal/abort.ts";
import { wordsIn } from "../internal/text.ts";
import type { FinishedRun, NeedsApprovalRun, NeedsOutcomeRun, RunResult } from "../loop/result.ts";
import type { ToolCall } from "../tool/tool-call.ts";

type WaitingRun<Calls extends ToolCall> = NeedsApprovalRun<Calls> | NeedsOutcomeRun<Calls>;

/** The result of one input. */
export type MapItem<Input, Output, Calls extends ToolCall = ToolCall> = {
  /** Position of the input, from 0. */
  readonly index: number;
  readonly key: string;
  readonly input: Input;
  /** Id of its session in the store, to which an approval or an outcome is sent. */
  readonly sessionId: string;
  /** Number of runs begun for it, from 1; more if an earlier one ended without a usable answer. */
  readonly attempts: number;
} & (
  | {
      readonly status: "finished";
      /** The output of the schema; `undefined` without one: `result.text` has the answer. */
      readonly output: FinishedRun<Output, Calls>["output"];
      readonly result: FinishedRun<Output, Calls>;
      /** The result was in the store: nothing was sent. */
      readonly reused: boolean;
    }
  /** Its run waits for an approval, or for the outcome of a call. */
  | { readonly status: "waiting"; readonly result: WaitingRun<Calls> }
  /** Its run ended without a usable answer. */
  | {
      readonly status: "ended";
      readonly result: Exclude<RunResult<Output, Calls>, FinishedRun<Output, Calls> | WaitingRun<Calls>>;
    }
  /** Its run threw. */
  | { readonly status: "failed"; readonly error: unknown }
);

/** Opens the session with an id; `isUnchanged` tells whether nothing was written to it since. */
export type OpenSession = (id: string) => Promise<{ readonly session: Session; readonly isUnchanged: () => boolean }>;

/** One input's work, as {@link runItem} needs it. */
export interface ItemRun {
  /** Id of its first session. */
  readonly id: string;
  readonly message: RunInput;
  readonly options: Omit<RunOptions<OutputSchema | undefined>, "context"> | undefined;
  /** Attempts after the first. */
  readonly retries: number;
  readonly signal: AbortSignal;
  readonly open: OpenSession;
}

type ItemOutcome = WithoutInput<MapItem<unknown, unknown>>;
type WithoutInput<Item> = Item extends unknown ? Omit<Item, "index" | "key" | "input"> : never;

/** Endings that another answer of the model may avoid. */
const MAY_GET_BETTER: ReadonlySet<string> = wordsIn(
  "invalid-output truncated empty bad-call repeated-calls blocked unknown-finish",
);

/** The first wait before a failed run continues, in milliseconds; each further one is four times as long, up to a minute. */
const FIRST_WAIT_MS = 1000;

/**
 * Runs one input. Attempt n has its own session, and its run has the session's id. After a crash, the next process therefore finds in the
 * store which attempts were made, continues the one that was cut off, and gets the result of one that ended. A run that failed continues
 * where it stopped, with its finished steps.
 *
 * @throws The signal's reason, and any error of `open`.
 */
export async function runItem({ id, message, options, retries, signal, open }: ItemRun): Promise<ItemOutcome> {
  let failures = 0;
  for (let attempts = 1; ;) {
    const sessionId = attempts === 1 ? id : `${id}#${attempts}`;
    const { session, isUnchanged } = await open(sessionId);
    const item = { sessionId, attempts };
    try {
      // The context is typed where map() is called.
      const given = { ...options, message, runId: sessionId, signal };
      const result: RunResult<unknown> = await session.continue<OutputSchema | undefined>(given);
      if (result.stopReason === "finished")
        return { ...item, status: "finished", output: result.output, result, reused: isUnchanged() };
      if (result.stopReason === "needs-approval" || result.stopReason === "needs-outcome")
        return { ...item, status: "waiting", result };
      if (!MAY_GET_BETTER.has(result.stopReason) || attempts > retries) return { ...item, status: "ended", result };
      attempts += 1;
    } catch (error) {
      signal.throwIfAborted();
      // A prompt that was blocked is also sent again.
      const mayPass = error instanceof ResponseBlockedError || (error instanceof AgentError && error.retryable);
      if (failures >= retries || !mayPass) return { ...item, status: "failed", error };
      await sleep(Math.min(60_000, FIRST_WAIT_MS * 4 ** failures), signal);
      failures += 1;
    }
  }
}

/** True if every other input would fail in the same way: a setting is wrong, the key was refused, or a quota is used up. */
export function stopsAll(error: unknown): boolean {
  if (error instanceof ConfigurationError || error instanceof QuotaReachedError) return true;
  return (
    error instanceof ApiStatusError && (error.status === 401 || error.status === 403 || error.resetsAt !== undefined)
  );
}
