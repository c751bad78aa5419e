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
import type { Content, Part } from "../../wire/types/content.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";

/** What a run is asked, as JSON: a text, the pieces of one user content, or whole contents. */
export type EngineInput = string | readonly (string | Part)[] | readonly Content[];

/** What starts a run on an engine. Plain JSON; the run's id is the engine's own. */
export interface EngineRunInput {
  readonly input: EngineInput;
  /** What the answer has to fit: a JSON Schema, or `"json"` for any JSON. Absent: the answer is text. */
  readonly output?: JsonSchema | "json" | undefined;
  /** Laid over the agent's own. */
  readonly limits?: Limits | undefined;
  /** What the model costs, in place of the agent's own prices. */
  readonly prices?: Prices | undefined;
  /** The step of another run that begins this one, for observers. */
  readonly parent?: ParentStep | undefined;
}

/** A run's result as JSON holds it: images are their media type and base64, without `bytes`. */
export type EngineResult = PlainResult<RunResult<unknown>>;

type PlainResult<Result> = Result extends unknown
  ? Omit<Result, "images"> & { readonly images: readonly Pick<OutputImage, "mimeType" | "data">[] }
  : never;

/** How a run on an engine ended. Plain JSON: it is what the engine keeps, and what a calling run reads. */
export type RunReport = EndedReport | FailedReport | CancelledReport;

interface ReportBase {
  readonly runId: string;
  /** Milliseconds in which a step was under way, as the steps recorded it. */
  readonly activeMs: number;
  /**
   * Members of the result, of the report or of `soFar` that are empty here because the report would have had more than 16 MiB
   * of JSON, which not every engine keeps. Absent when nothing was left out.
   */
  readonly omitted?: readonly OmittedMember[] | undefined;
}

/** A member that a large report leaves out. `compaction` goes with `contents`. */
export type OmittedMember = "contents" | "added" | "found" | "response";

/** The run came to a result, whatever its stop reason. */
export interface EndedReport extends ReportBase {
  readonly status: "ended";
  readonly result: EngineResult;
  /** The answers that its sources rest on, but for `result.response`; absent when there are none. */
  readonly found?: readonly ModelResponse[] | undefined;
}

/** The run threw. */
export interface FailedReport extends ReportBase {
  readonly status: "failed";
  readonly error: StepError;
  /** What it had done; absent when it could not begin. */
  readonly soFar?: RunSoFar | undefined;
}

/** The run was ended from outside. */
export interface CancelledReport extends ReportBase {
  readonly status: "cancelled";
  /** What it had done; absent when it could not begin. */
  readonly soFar?: RunSoFar | undefined;
}

/** A live event as a reader in another process gets it. Plain JSON. */
export interface EngineEvent {
  readonly runId: string;
  /** Name of the step that reported it, such as `model:3`. */
  readonly step: string;
  readonly attempt: number;
  /** From 0 within an attempt of a step. One that is not higher than the last says that the step was begun anew: what it reported before is void. */
  readonly seq: number;
  readonly event: RunEvent;
}

/** The report of a run that came to a result. */
export function endedReport(runId: string, result: RunResult<unknown>, activeMs: number): RunReport {
  const found = groundingResponses(result).filter((one) => one !== result.response);
  return fitReport<EndedReport>(
    { status: "ended", runId, activeMs, result, ...(found.length > 0 && { found }) },
    // The conversation grows without end; an answer has a bound of its own, which is that of a step.
    (report) => ({
      ...report,
      result: { ...report.result, contents: [], added: [] },
      omitted: ["contents", "added"],
    }),
    ({ found: _, ...report }) => ({
      ...report,
      result: { ...report.result, response: undefined },
      omitted: ["contents", "added", "found", "response"],
    }),
  );
}

/** The report of a run that threw. */
export function failedReport(runId: string, error: unknown, activeMs: number): RunReport {
  return fitReport<FailedReport>(
    {
      status: "failed",
      runId,
      activeMs,
      error: recordedError(error) ?? describeError(error),
      soFar: runSoFar(error),
    },
    withoutContents,
  );
}

/**
 * The report of a run that was ended from outside, for an engine that keeps one of such runs too.
 *
 * @param soFar - What it had done: `runSoFar` of what `runOnEngine` rejected with.
 */
export function cancelledReport(runId: string, soFar: RunSoFar | undefined, activeMs: number = 0): RunReport {
  return fitReport<CancelledReport>({ status: "cancelled", runId, activeMs, soFar }, withoutContents);
}

/** Whether a step failed just now or its failure was read again must make no difference. */
function recordedError(error: unknown): StepError | undefined {
  if (!(error instanceof RunStepError) || !isObject(error.cause) || error.cause instanceof Error) return undefined;
  const { name, message } = error.cause;
  // A cause that is no error object is what the steps gave as an outcome's error.
  return typeof name === "string" && typeof message === "string" ? (error.cause as unknown as StepError) : undefined;
}

function withoutContents<Report extends FailedReport | CancelledReport>(report: Report): Report {
  if (report.soFar === undefined) return report;
  const { compaction: _, ...soFar } = report.soFar;
  return { ...report, soFar: { ...soFar, contents: [] }, omitted: ["contents"] };
}

const MAX_BYTES = 16 * 1024 * 1024;

/** The report as plain JSON, made shorter until an engine can keep it. */
function fitReport<Report extends RunReport>(
  whole: Report,
  ...shorter: readonly ((report: Report) => Report)[]
): Report {
  let report = whole;
  let text = stringify(report);
  for (const shorten of shorter) {
    if (text !== undefined && byteLength(text, MAX_BYTES) <= MAX_BYTES) break;
    report = shorten(report);
    text = stringify(report);
  }
  return JSON.parse(text ?? "") as Report;
}

/** `undefined` for one that is longer than a text can be. */
function stringify(report: RunReport): string | undefined {
  try {
    return JSON.stringify(report);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
