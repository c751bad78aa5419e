import { attachedTo, attachTo } from "../errors/agent-error.ts";
import type { Grounding } from "../grounding/sources.ts";
import type { ModelResponse } from "../model/model.ts";
import { type Cost, NO_USAGE, type Usage } from "../model/usage.ts";
import type { ReadSource } from "../tool/reads.ts";
import type { PendingCall } from "../tool/tool.ts";
import type { EndingOutput, ToolCall } from "../tool/tool-call.ts";
import type { Blob, CodeExecutionResult, Content, ExecutableCode } from "../wire/types/content.ts";
import type { CitationSource, SafetyRating } from "../wire/types/generate-content.ts";
import type { Compaction } from "./turn/compaction.ts";
import type { GuardrailStop } from "./guardrails.ts";
import type { LimitReached } from "./limits.ts";
import { decodePieces, type OutputAudio } from "./output-audio.ts";

/** The fields of every result, for any stop reason. */
export interface RunResultBase<Calls extends ToolCall = ToolCall> extends Grounding, RunOutputs, Omit<Cost, "cost"> {
  /** As in events and in the log of a session. */
  readonly runId: string;
  /** Name of the agent that leads at its end: the run's own, or the one that took over last. */
  readonly agent: string;
  /** Visible text of the last answer; empty when there was none. */
  readonly text: string;
  /** The whole conversation: the input and what the run added. Can be sent again as it is. */
  readonly contents: readonly Content[];
  /** The part of {@link RunResultBase.contents} that this run added, including the prompt. */
  readonly added: readonly Content[];
  /** Function calls of the run, oldest first; narrow by `status` and `name`. */
  readonly toolCalls: readonly Calls[];
  /** Answers of the model. */
  readonly turns: number;
  /** Sum over the run, including delegated requests. */
  readonly usage: Usage;
  /** Cost of the run, including nested runs, in the unit of the price table; `undefined` without a table, or if it is unknown: see `unpriced`. */
  readonly cost: number | undefined;
  /** The last answer, unchanged (of an answer that a guardrail gave, its text alone), with finish reason, ratings and grounding metadata; absent only when a limit or a guardrail ended the run before the first answer. */
  readonly response: ModelResponse | undefined;
  /** The answer of each turn, oldest first, with its candidate and envelope; without retried answers and the answers of nested runs. */
  readonly responses: readonly ModelResponse[];
}

/** The model gave its final answer, or called a tool that ends the run. */
export interface FinishedRun<Output = undefined, Calls extends ToolCall = ToolCall> extends RunResultBase<Calls> {
  readonly stopReason: "finished";
  /** The output by the schema, or that of the tool that ended the run; `undefined` without either. */
  readonly output: Output | EndingOutput<Calls>;
  /** Name of the tool that ended the run; absent when the model answered. */
  readonly endedBy?: string | undefined;
  /** Name of the input guardrail that answered in place of the agent; absent when the model answered. */
  readonly answeredBy?: string | undefined;
}

/** A stop rule of the caller ended the run. */
export interface StoppedRun<Calls extends ToolCall = ToolCall> extends RunResultBase<Calls> {
  readonly stopReason: "stopped";
}

/** A limit ended the run. `text` is that of the last answer. */
export interface LimitedRun<Calls extends ToolCall = ToolCall> extends RunResultBase<Calls> {
  readonly stopReason: "limit";
  /** The last of the contents, when the wall time was up in the middle of an answer: its text as far as output guardrails let it pass. */
  readonly interrupted?: Content | undefined;
  /** The limit, and how much was used. */
  readonly limit: LimitReached;
}

/** The token limit cut the answer off. */
export interface TruncatedRun<Calls extends ToolCall = ToolCall> extends RunResultBase<Calls> {
  readonly stopReason: "truncated";
}

/** The service blocked the answer (`SAFETY`, `RECITATION`, ...); `safetyRatings` has its ratings. A blocked prompt is a `ResponseBlockedError` instead. */
export interface BlockedRun<Calls extends ToolCall = ToolCall> extends RunResultBase<Calls>, FinishWords {
  readonly stopReason: "blocked";
}

interface FinishWords {
  /** As the service gave it. */
  readonly finishReason: string;
  /** The service's explanation. */
  readonly finishMessage?: string | undefined;
}

/** The answer was still empty after the retries. Never a success. */
export interface EmptyRun<Calls extends ToolCall = ToolCall> extends RunResultBase<Calls> {
  readonly stopReason: "empty";
}

/** The model's calls were still unreadable after the retries. */
export interface BadCallRun<Calls extends ToolCall = ToolCall> extends RunResultBase<Calls>, FinishWords {
  readonly stopReason: "bad-call";
}

/** The model repeated the same calls, with the same results. */
export interface RepeatedCallsRun<Calls extends ToolCall = ToolCall> extends RunResultBase<Calls> {
  readonly stopReason: "repeated-calls";
}

/** The final answer still does not match the output schema after the retries. */
export interface InvalidOutputRun<Calls extends ToolCall = ToolCall> extends RunResultBase<Calls> {
  readonly stopReason: "invalid-output";
  /** What does not match, in short. */
  readonly problem: string;
}

/** A guardrail ended the run. The answer or the user's message that it stopped is in neither the text nor the contents. */
export interface GuardrailRun<Calls extends ToolCall = ToolCall> extends RunResultBase<Calls> {
  readonly stopReason: "guardrail";
  /** The guardrail, and why. */
  readonly guardrail: GuardrailStop;
}

/** The model stopped for a reason that this version does not know. Never a success. */
export interface UnknownFinishRun<Calls extends ToolCall = ToolCall> extends RunResultBase<Calls>, FinishWords {
  readonly stopReason: "unknown-finish";
}

/** Calls wait for approval; continue with `session.resume({ approvals })`. In `contents` they are answered as not run, so that they can be sent. */
export interface NeedsApprovalRun<Calls extends ToolCall = ToolCall> extends RunResultBase<Calls> {
  readonly stopReason: "needs-approval";
  /** Oldest first; their tokens are the keys of the answers. */
  readonly pending: readonly PendingCall[];
}

/** Calls wait for their outcome from outside; continue with `session.resume({ outcomes })`. In `contents` they are answered as not run, so that they can be sent. */
export interface NeedsOutcomeRun<Calls extends ToolCall = ToolCall> extends RunResultBase<Calls> {
  readonly stopReason: "needs-outcome";
  /** Oldest first; their tokens are the keys of the answers. */
  readonly pending: readonly PendingCall[];
}

/** How a run ended, discriminated by `stopReason`. `Calls` are those of {@link RunResultBase.toolCalls}. */
export type RunResult<Output = undefined, Calls extends ToolCall = ToolCall> =
  | FinishedRun<Output, Calls>
  | StoppedRun<Calls>
  | LimitedRun<Calls>
  | TruncatedRun<Calls>
  | BlockedRun<Calls>
  | EmptyRun<Calls>
  | BadCallRun<Calls>
  | RepeatedCallsRun<Calls>
  | InvalidOutputRun<Calls>
  | GuardrailRun<Calls>
  | UnknownFinishRun<Calls>
  | NeedsApprovalRun<Calls>
  | NeedsOutcomeRun<Calls>;

/** Why a run ended. (The finish reason is why one answer of the model ended.) */
export type StopReason = RunResult["stopReason"];

/** Code that the model ran in the service's sandbox, and its result. */
export interface CodeRun {
  /** What the model wrote. */
  readonly executableCode: ExecutableCode;
  /** Absent when the answer ended before it. */
  readonly codeExecutionResult?: CodeExecutionResult | undefined;
}

/** A page that the service read for an answer, or tried to. */
export interface UrlRetrieval {
  /** The page's address. */
  readonly retrievedUrl: string;
  /** `URL_RETRIEVAL_STATUS_SUCCESS`, `…_ERROR`, `…_PAYWALL`, `…_UNSAFE`, or a newer value. */
  readonly urlRetrievalStatus: string;
}

/** The model's output besides text, in typed form. `response` and `contents` have it unchanged. */
export interface RunOutputs {
  /** Images of the whole run, in order of arrival, including nested runs but not the interim images of a thinking model. */
  readonly images: readonly OutputImage[];
  /** Sounds of the whole run, in the same way. The pieces of one speech are one sound. */
  readonly audio: readonly OutputAudio[];
  /** Code that ran in the service's sandbox, in order, over the whole run. */
  readonly code: readonly CodeRun[];
  /** Thought summaries, one text for each answer that has any. Request them with `includeThoughts`. */
  readonly thoughts: readonly string[];
  /** Pages that the service read or failed to read, over the whole run. */
  readonly urls: readonly UrlRetrieval[];
  /** Ratings of the last answer; usually none. */
  readonly safetyRatings: readonly SafetyRating[];
  /** Works that the last answer quotes, with their licenses; endpoints have different names for this field. */
  readonly citationSources: readonly CitationSource[];
}

/** An image made by the model. Its JSON has the media type and the base64, not the bytes. */
export class OutputImage {
  /** Such as `image/png`. */
  readonly mimeType: string;
  /** Base64, unchanged. */
  readonly data: string;

  constructor({ mimeType, data }: Pick<Blob, "mimeType" | "data">) {
    this.mimeType = mimeType;
    this.data = data;
  }

  /** The image's bytes, decoded on each access. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return decodePieces([this.data]);
  }
}

/** What a run had done when it failed or was aborted. */
export interface RunSoFar extends Cost {
  /** As in events and in the log of a session. */
  readonly runId: string;
  /** Can be sent again: open calls are answered as cancelled. */
  readonly contents: readonly Content[];
  /** The last of the contents, when the run ended in the middle of an answer: its text as far as output guardrails let it pass. */
  readonly interrupted?: Content | undefined;
  /** What the model has read in the whole history; absent for nothing. */
  readonly read?: readonly ReadSource[] | undefined;
  /** What is sent in place of the oldest contents; absent while all are sent. */
  readonly compaction?: Compaction | undefined;
  /** Finished turns. */
  readonly turns: number;
  /** Sum over the run, including delegated requests. */
  readonly usage: Usage;
}

/** For a run that has not begun. */
export const NOTHING_YET: RunSoFar = { runId: "", contents: [], turns: 0, usage: NO_USAGE };

const RUNS = Symbol.for("pollux.runSoFar");

/**
 * What the run that threw this error had done, or `undefined` when the error is not from a run. Works for every error that a run throws,
 * also the reason of your own abort signal if it is an object. To continue, pass `contents` and the rest of your question to another run.
 */
export function runSoFar(error: unknown): RunSoFar | undefined {
  return attachedTo(error, RUNS) as RunSoFar | undefined;
}

/** Attaches the run's state to its error. */
export function attachRunSoFar(error: unknown, run: RunSoFar): void {
  attachTo(error, RUNS, run);
}
