import type { RunResult } from "@pollux/core";
import type { StepError } from "@pollux/core/durable";
import { RunStepError } from "@pollux/core/errors";
import {
  type CancelledReport,
  describeError,
  type EndedReport,
  type FailedReport,
  groundingResponses,
  type RunReport,
  runSoFar,
  type RunSoFar,
} from "@pollux/core/durable";

/** What the steps of a run, and its start, add to its report. */
export type ReportTotals = Pick<RunReport, "activeMs" | "unread" | "read">;

/** The report of a run that produced a result. */
export function endedReport(runId: string, result: RunResult<unknown>, totals: ReportTotals): RunReport {
  const found = groundingResponses(result).filter((one) => one !== result.response);
  // The engine has recorded them.
  const { responses: _answers, ...kept } = result;
  return fitReport<EndedReport>(
    { status: "ended", runId, ...totals, result: kept, ...(found.length > 0 && { found }) },
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
 * @param soFar - Its work until then: `runSoFar` of the error that `runOnEngine` rejected with.
 */
export function cancelledReport(
  runId: string,
  soFar: RunSoFar | undefined,
  { activeMs = 0, read }: Partial<ReportTotals> = {},
): RunReport {
  return fitReport<CancelledReport>({ status: "cancelled", runId, activeMs, read, soFar }, withoutContents);
}

/** Makes the report of a step that failed just now equal to the report of a recorded failure. */
function recordedError(error: unknown): StepError | undefined {
  if (!(error instanceof RunStepError) || error.cause instanceof Error) return undefined;
  const { lost: _, ...recorded } = Object(error.cause) as StepError;
  const { name, message } = recorded;
  // A cause that is not an Error is the error of an outcome, as the steps reported it.
  return typeof name === "string" && typeof message === "string" ? recorded : undefined;
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

/** Bytes of a text in UTF-8, or fewer when it certainly fits: a UTF-16 unit takes at most three, so most texts need no counting. */
export function byteLength(text: string, bound: number): number {
  return text.length * 3 <= bound ? text.length : new TextEncoder().encode(text).length;
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
