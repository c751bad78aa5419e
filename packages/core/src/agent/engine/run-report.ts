import { byteLength, describeError, type StepError } from "../../durable/steps.ts";
import { RunStepError } from "../../errors/run-errors.ts";
import { isObject } from "../../internal/json.ts";
import { groundingResponses } from "../../loop/build-result.ts";
import type { RunEvent } from "../../loop/events.ts";
import type { Limits } from "../../loop/limits.ts";
import { type OutputImage, type RunResult, type RunSoFar, runSoFar } from "../../loop/result.ts";
import type { ModelResponse } from "../../model/model.ts";
import type { Prices } from "../../model/usage.ts";
import type { ParentStep } from "../../tool/tool.ts";
import type { Content, JsonObject, Part } from "../../wire/types/content.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";

/** Input of a run as JSON: text, the parts of one user content, or whole contents. */
export type EngineInput = string | readonly (string | Part)[] | readonly Content[];

/** Starts a run on an engine. Plain JSON; the engine assigns the run's id. */
export interface EngineRunInput {
  readonly input: EngineInput;
  /** Schema of the answer: a JSON Schema, or `"json"` for any JSON. Absent: the answer is text. */
  readonly output?: JsonSchema | "json" | undefined;
  /** Override the agent's own. */
  readonly limits?: Limits | undefined;
  /** Prices of the model, instead of the agent's own. */
  readonly prices?: Prices | undefined;
  /** Identifies the run for the application: see `metadata` of a run's options. */
  readonly metadata?: JsonObject | undefined;
  /** The step of another run that starts this one, for observers. */
  readonly parent?: ParentStep | undefined;
  /** Names of the agents whose runs it is inside, outermost first: without an `approve` of its own, it asks the nearest one that has one. */
  readonly callers?: readonly string[] | undefined;
  /** Names of the tools through which these called, outermost first: the `path` of its questions. */
  readonly path?: readonly string[] | undefined;
}

/** A run's result as plain JSON: images have their media type and base64, but no `bytes`. */
export type EngineResult = PlainResult<RunResult<unknown>>;

type PlainResult<Result> = Result extends unknown
  ? Omit<Result, "images"> & { readonly images: readonly Pick<OutputImage, "mimeType" | "data">[] }
  : never;

/** How a run on an engine ended. Plain JSON: the engine stores it, and a calling run reads it. */
export type RunReport = EndedReport | FailedReport | CancelledReport;

interface ReportBase {
  readonly runId: string;
  /** Milliseconds in which a step was running, as the steps recorded it. */
  readonly activeMs: number;
  /**
   * What was said to the run and is in none of its requests, because it ended for another reason first: send it with the next
   * message. Absent when there is nothing, and in the report of a cancelled run.
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
export interface FailedReport extends ReportBase {
  readonly status: "failed";
  readonly error: StepError;
  /** What it had done; absent when it could not start. */
  readonly soFar?: RunSoFar | undefined;
}

/** The run was cancelled from outside. */
export interface CancelledReport extends ReportBase {
  readonly status: "cancelled";
  /** What it had done; absent when it could not start. */
  readonly soFar?: RunSoFar | undefined;
}

/** A live event for a reader in another process. Plain JSON. */
export interface EngineEvent {
  readonly runId: string;
  /** Name of the step that reported it, such as `model:3`. */
  readonly step: string;
  readonly attempt: number;
  /** From 0 within an attempt of a step. A value not above the last means that the step was restarted: discard what it reported before. */
  readonly seq: number;
  readonly event: RunEvent;
}

/** What the steps of a run add to its report. */
export type ReportTotals = Pick<ReportBase, "activeMs" | "unread">;

/** The report of a run that produced a result. */
export function endedReport(runId: string, result: RunResult<unknown>, totals: ReportTotals): RunReport {
  const found = groundingResponses(result).filter((one) => one !== result.response);
  return fitReport<EndedReport>(
    { status: "ended", runId, ...totals, result, ...(found.length > 0 && { found }) },
    // The conversation can grow without bound; an answer is bounded by the limit of a step.
    (report) => ({
      ...report,
      result: { ...report.result, contents: [], added: [], toolCalls: [] },
      omitted: ["contents", "added", "toolCalls"],
    }),
    ({ found: _, ...report }) => ({
      ...report,
      result: { ...report.result, response: undefined },
      omitted: ["contents", "added", "toolCalls", "found", "response"],
    }),
  );
}

/** The report of a run that threw. */
export function failedReport(runId: string, error: unknown, totals: ReportTotals): RunReport {
  return fitReport<FailedReport>(
    {
      status: "failed",
      runId,
      ...totals,
      error: recordedError(error) ?? describeError(error),
      soFar: runSoFar(error),
    },
    withoutContents,
  );
}

/**
 * The report of a cancelled run, for an engine that stores one.
 *
 * @param soFar - What it had done: `runSoFar` of what `runOnEngine` rejected with.
 */
export function cancelledReport(runId: string, soFar: RunSoFar | undefined, activeMs: number = 0): RunReport {
  return fitReport<CancelledReport>({ status: "cancelled", runId, activeMs, soFar }, withoutContents);
}

/** Makes the report of a step that failed just now equal to that of a recorded failure. */
function recordedError(error: unknown): StepError | undefined {
  if (!(error instanceof RunStepError) || !isObject(error.cause) || error.cause instanceof Error) return undefined;
  const { name, message } = error.cause;
  // A cause that is not an Error is the error of an outcome, as the steps reported it.
  return typeof name === "string" && typeof message === "string" ? (error.cause as unknown as StepError) : undefined;
}

function withoutContents<Report extends FailedReport | CancelledReport>(report: Report): Report {
  if (report.soFar === undefined) return report;
  const { compaction: _, ...soFar } = report.soFar;
  return { ...report, soFar: { ...soFar, contents: [] }, omitted: ["contents"] };
}

function withoutUnread<Report extends RunReport>(report: Report): Report {
  if (report.unread === undefined) return report;
  return { ...report, unread: [], omitted: [...(report.omitted ?? []), "unread"] };
}

const MAX_BYTES = 16 * 1024 * 1024;

/** The report as plain JSON, shortened until an engine can store it. */
function fitReport<Report extends RunReport>(
  whole: Report,
  ...shorter: readonly ((report: Report) => Report)[]
): Report {
  let report = whole;
  let text = stringify(report);
  for (const shorten of [...shorter, withoutUnread]) {
    if (text !== undefined && byteLength(text, MAX_BYTES) <= MAX_BYTES) break;
    report = shorten(report);
    text = stringify(report);
  }
  return JSON.parse(text ?? "") as Report;
}

/** `undefined` if it exceeds the maximum length of a string. */
function stringify(report: RunReport): string | undefined {
  try {
    return JSON.stringify(report);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
