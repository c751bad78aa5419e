import type { Grounding } from "../grounding/sources.ts";
import type { ModelResponse } from "../model/model.ts";
import { NO_USAGE, type Usage } from "../model/usage.ts";
import type { PendingCall } from "../tool/approval.ts";
import type { Content } from "../wire/types/content.ts";
import type { Compaction } from "./compaction.ts";
import type { RunOutputs } from "./build-result.ts";

/** What every run ends with, whatever the reason. */
export interface RunOutcome extends Grounding, RunOutputs {
  readonly runId: string;
  /** Visible text of the last answer; empty when there was none. */
  readonly text: string;
  /** The whole conversation: what was given and what was added. Can be sent again as it stands. */
  readonly contents: readonly Content[];
  /** Of {@link RunOutcome.contents}, those this run added (the prompt's own content included). */
  readonly added: readonly Content[];
  /** Turns made. */
  readonly turns: number;
  /** Sum over the run, delegated requests included. */
  readonly usage: Usage;
  /** What the run cost, nested runs included, in the unit of the price table; `undefined` without one. */
  readonly cost: number | undefined;
  /** The last answer as it came, with finish reason, ratings and grounding metadata; absent only when a limit ended the run before there was one. */
  readonly response: ModelResponse | undefined;
}

/** A limit and how far the run got. */
export interface LimitReached {
  readonly name: "turns" | "toolCalls" | "inputTokens" | "outputTokens" | "totalTokens" | "wallTimeMs" | "cost";
  readonly limit: number;
  readonly used: number;
  /** The limit is the session's: `used` counts all of its runs. */
  readonly scope?: "session" | undefined;
}

/** The model answered and wanted nothing more. `output` is the typed output; `undefined` when none was asked for. */
export interface FinishedRun<Output = undefined> extends RunOutcome {
  readonly stopReason: "finished";
  readonly output: Output;
}

/** A stop rule of the caller ended the run. */
export interface StoppedRun extends RunOutcome {
  readonly stopReason: "stopped";
}

/** A limit ended the run. `text` is what there was. */
export interface LimitedRun extends RunOutcome {
  readonly stopReason: "limit";
  readonly limit: LimitReached;
}

/** The answer was cut off by the token limit. */
export interface TruncatedRun extends RunOutcome {
  readonly stopReason: "truncated";
}

/** The answer was withheld (`SAFETY`, `RECITATION`, ...); `safetyRatings` has its ratings. A refused prompt is a `ResponseBlockedError` instead. */
export interface BlockedRun extends RunOutcome {
  readonly stopReason: "blocked";
  readonly finishReason: string;
  readonly finishMessage?: string | undefined;
}

/** The model kept answering with nothing, after the retries. Never a success. */
export interface EmptyRun extends RunOutcome {
  readonly stopReason: "empty";
}

/** The model kept writing calls that cannot be read, after the retries. */
export interface BadCallRun extends RunOutcome {
  readonly stopReason: "bad-call";
  readonly finishReason: string;
  readonly finishMessage?: string | undefined;
}

/** The model kept making the same calls with the same arguments. */
export interface RepeatedCallsRun extends RunOutcome {
  readonly stopReason: "repeated-calls";
}

/** The model finished, but its answer does not fit the output schema, after the retries. */
export interface InvalidOutputRun extends RunOutcome {
  readonly stopReason: "invalid-output";
  /** What does not fit, short. */
  readonly problem: string;
}

/** The model stopped for a reason this version does not know. Never a success. */
export interface UnknownFinishRun extends RunOutcome {
  readonly stopReason: "unknown-finish";
  readonly finishReason: string;
  readonly finishMessage?: string | undefined;
}

/** Calls wait for somebody's word; `session.resume({ approvals })` goes on. In `contents` they are answered as not run, so that they can be sent. */
export interface NeedsApprovalRun extends RunOutcome {
  readonly stopReason: "needs-approval";
  readonly pending: readonly PendingCall[];
}

/** Calls wait for what came of them elsewhere; `session.resume({ outcomes })` goes on. In `contents` they are answered as not run, so that they can be sent. */
export interface NeedsOutcomeRun extends RunOutcome {
  readonly stopReason: "needs-outcome";
  readonly pending: readonly PendingCall[];
}

/** How a run ended, discriminated by `stopReason`: a `switch` over it is exhaustive. */
export type RunResult<Output = undefined> =
  | FinishedRun<Output>
  | StoppedRun
  | LimitedRun
  | TruncatedRun
  | BlockedRun
  | EmptyRun
  | BadCallRun
  | RepeatedCallsRun
  | InvalidOutputRun
  | UnknownFinishRun
  | NeedsApprovalRun
  | NeedsOutcomeRun;

/** Why a run ended: our word, where the finish reason is the model's. */
export type StopReason = RunResult["stopReason"];

/** What a run had done when it failed or was aborted. */
export interface RunSoFar {
  readonly runId: string;
  /** Everything that can be kept: ends on no open call (cut-off calls are answered as cancelled), so it can be sent again. */
  readonly contents: readonly Content[];
  /** What is sent in place of the oldest contents; absent while all are sent. */
  readonly compaction?: Compaction | undefined;
  /** Turns that were finished. */
  readonly turns: number;
  /** What was paid for. */
  readonly usage: Usage;
  /** What it cost, in the unit of the price table; absent without one. */
  readonly cost?: number | undefined;
}

/** Of a run that has not begun. */
export const NOTHING_YET: RunSoFar = { runId: "", contents: [], turns: 0, usage: NO_USAGE };

const RUNS = Symbol.for("pollux.runSoFar");

/**
 * What the run that threw this error had done by then, or `undefined` when the error is not from a run.
 *
 * Works for every error a run throws, the reason of your own abort signal included (when that is an object).
 * To go on, hand `contents` and the rest of your question to another run.
 */
export function runSoFar(error: unknown): RunSoFar | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  return (error as { readonly [RUNS]?: RunSoFar })[RUNS];
}

/** Hangs the run's state on its error, out of sight of loggers and `JSON.stringify`. A frozen error is left alone. */
export function attachRunSoFar(error: unknown, run: RunSoFar): void {
  if (typeof error !== "object" || error === null || !Object.isExtensible(error)) return;
  Object.defineProperty(error, RUNS, { value: run, enumerable: false, configurable: true, writable: true });
}
