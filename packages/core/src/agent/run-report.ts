import type { StepError } from "../durable/steps.ts";
import type { OutputAudio } from "../loop/output-audio.ts";
import type { OutputImage, RunResult, RunSoFar } from "../loop/result.ts";
import type { ModelResponse } from "../model/model.ts";
import type { PriceList, Prices } from "../model/usage.ts";
import type { ReadSource } from "../tool/reads.ts";
import type { Content, Part } from "../wire/types/content.ts";
import type { JsonSchema } from "../wire/types/declaration.ts";
import type { AnyRunOptions } from "./options.ts";

/** Input of a run as JSON: text, the parts of one user content, or whole contents. */
export type EngineInput = string | readonly (string | Part)[] | readonly Content[];

/** Starts a run on an engine. Plain JSON; the engine assigns the run's id. */
export interface EngineRunInput extends Pick<AnyRunOptions, "limits" | "metadata" | "reads" | "parent"> {
  readonly input: EngineInput;
  /** Schema of the answer: a JSON Schema, or `"json"` for any JSON. Absent: the answer is text. */
  readonly output?: JsonSchema | "json" | undefined;
  /** Prices instead of the agent's own. */
  readonly prices?: Prices | PriceList | undefined;
  /** What the run that starts this one has read: the input may come from there. Absent, and with `callers`: untrusted and private. */
  readonly read?: readonly ReadSource[] | undefined;
  /** Names of the agents whose runs contain this one, outermost first: without its own `approve`, the run asks the nearest agent's. */
  readonly callers?: readonly string[] | undefined;
  /** Names of the tools that these agents called, outermost first: the `path` of the run's questions. */
  readonly path?: readonly string[] | undefined;
}

/** A run's result as plain JSON: images and sounds have their base64, but no `bytes`; of the responses, only the last one is included. */
export type EngineResult = PlainResult<RunResult<unknown>>;

type PlainResult<Result> = Result extends unknown
  ? Omit<Result, "images" | "audio" | "responses"> & {
      readonly images: readonly Pick<OutputImage, "mimeType" | "data">[];
      readonly audio: readonly Omit<OutputAudio, "bytes" | "toWav">[];
    }
  : never;

/** How a run on an engine ended. Plain JSON: the engine stores it, and a calling run reads it. */
export type RunReport = EndedReport | FailedReport | CancelledReport;

interface ReportBase {
  readonly runId: string;
  /** Milliseconds during which a step was running, as recorded by the steps. */
  readonly activeMs: number;
  /** What the run has read and its starter had not; empty for nothing. Absent from an older worker: untrusted and private. */
  readonly read?: readonly ReadSource[] | undefined;
  /**
   * Messages to the run that none of its requests includes, because it ended for another reason first: send them with the next
   * message. Absent when there are none, and in the report of a cancelled run.
   */
  readonly unread?: readonly Content[] | undefined;
  /**
   * Members of the result, of the report or of `soFar` that were left empty because the report exceeded 16 MiB of JSON, which not
   * every engine can store. Absent when nothing was omitted.
   */
  readonly omitted?: readonly OmittedMember[] | undefined;
}

/** A member that a large report omits. `compaction` is omitted with `contents`. */
export type OmittedMember = "contents" | "added" | "toolCalls" | "found" | "response" | "unread";

/** The run produced a result, with any stop reason. */
export interface EndedReport extends ReportBase {
  readonly status: "ended";
  readonly result: EngineResult;
  /** The responses its sources come from, except `result.response`; absent when there are none. */
  readonly found?: readonly ModelResponse[] | undefined;
}

/** The run threw. */
export interface FailedReport extends Omit<CancelledReport, "status"> {
  readonly status: "failed";
  readonly error: StepError;
}

/** The run was cancelled from outside. */
export interface CancelledReport extends ReportBase {
  readonly status: "cancelled";
  /** What the run had done; absent when it could not start. */
  readonly soFar?: RunSoFar | undefined;
}
