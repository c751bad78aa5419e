import type { Grounding } from "../grounding/sources.ts";
import type { ModelResponse } from "../model/model.ts";
import { NO_USAGE, type Usage } from "../model/usage.ts";
import type { PendingCall } from "../tool/tool.ts";
import type { Blob, CodeExecutionResult, Content, ExecutableCode } from "../wire/types/content.ts";
import type { CitationSource, SafetyRating } from "../wire/types/generate-content.ts";
import type { Compaction } from "./turn/compaction.ts";
import type { LimitReached } from "./limits.ts";

/** What every run ends with, whatever the reason. */
export interface RunOutcome extends Grounding, RunOutputs {
  readonly runId: string;
  /** Visible text of the last answer; empty when there was none. */
  readonly text: string;
  /** The whole conversation: what was given and what was added. Can be sent again as it stands. */
  readonly contents: readonly Content[];
  /** Of {@link RunOutcome.contents}, those this run added (the prompt's own content included). */
  readonly added: readonly Content[];
  readonly turns: number;
  /** Sum over the run, delegated requests included. */
  readonly usage: Usage;
  /** What the run cost, nested runs included, in the unit of the price table; `undefined` without one. */
  readonly cost: number | undefined;
  /** The last answer as it came, with finish reason, ratings and grounding metadata; absent only when a limit ended the run before there was one. */
  readonly response: ModelResponse | undefined;
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
  /** The last of the contents, when the wall time was up in the middle of an answer: the model's text as far as it came. */
  readonly interrupted?: Content | undefined;
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

/** Code the model had run in the service's sandbox, with what came of it. */
export interface CodeRun {
  readonly executableCode: ExecutableCode;
  /** Absent when the answer ended before there was one. */
  readonly codeExecutionResult?: CodeExecutionResult | undefined;
}

/** A page the service read for an answer, or tried to. */
export interface UrlRetrieval {
  readonly retrievedUrl: string;
  /** `URL_RETRIEVAL_STATUS_SUCCESS`, `…_ERROR`, `…_PAYWALL`, `…_UNSAFE`, or a newer word. */
  readonly urlRetrievalStatus: string;
}

/** What the model gave back besides text, in typed form. What came, unchanged, is in `response` and `contents`. */
export interface RunOutputs {
  /** Images of the whole run, in the order they came, those of agents inside it included; interim ones of a thinking model are not. */
  readonly images: readonly OutputImage[];
  /** Code that was run in the service's sandbox, in order, over the whole run. */
  readonly code: readonly CodeRun[];
  /** Thought summaries, one text for each answer that had any. Ask for them with `includeThoughts`. */
  readonly thoughts: readonly string[];
  /** Pages the service read, or failed to, over the whole run. */
  readonly urls: readonly UrlRetrieval[];
  /** Ratings of the last answer; usually none. */
  readonly safetyRatings: readonly SafetyRating[];
  /** What the last answer quotes from known works, with their licenses; whatever the endpoint's name for it. */
  readonly citationSources: readonly CitationSource[];
}

/** An image the model made. Its JSON holds the media type and the base64, not the bytes. */
export class OutputImage {
  /** Such as `image/png`. */
  readonly mimeType: string;
  /** Base64, as it came. */
  readonly data: string;

  constructor({ mimeType, data }: Pick<Blob, "mimeType" | "data">) {
    this.mimeType = mimeType;
    this.data = data;
  }

  /** The image's bytes, decoded anew each time. */
  get bytes(): Uint8Array<ArrayBuffer> {
    const binary = atob(this.data.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  }
}

/** What a run had done when it failed or was aborted. */
export interface RunSoFar {
  readonly runId: string;
  /** Everything that can be kept: ends on no open call (cut-off calls are answered as cancelled), so it can be sent again. */
  readonly contents: readonly Content[];
  /** The last of the contents, when the run ended in the middle of an answer: the model's text as far as it came. */
  readonly interrupted?: Content | undefined;
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
