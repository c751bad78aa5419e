import { byteLength, describeError } from "../durable/outcomes.ts";
import type { StepError } from "../durable/steps.ts";
import { RunStepError } from "../errors/run-errors.ts";
import { isObject } from "../internal/json.ts";
import { groundingResponses } from "../loop/build-result.ts";
import { type RunResult, runSoFar, type RunSoFar } from "../loop/result.ts";
import type { CancelledReport, EndedReport, FailedReport, RunReport } from "./engine-run.ts";

/** The report of a run that came to a result. */
export function endedReport(runId: string, result: RunResult<unknown>, activeMs: number): RunReport {
  const found = groundingResponses(result).filter((one) => one !== result.response);
  return plain<EndedReport>(
    {
      status: "ended",
      runId,
      activeMs,
      result: result.stopReason === "limit" ? { ...result, limit: finite(result.limit, activeMs) } : result,
      ...(found.length > 0 && { found }),
    },
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
  return plain<FailedReport>(
    {
      status: "failed",
      runId,
      activeMs,
      error: recordedError(error) ?? describeError(error),
      ...withSoFar(runSoFar(error)),
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
  return plain<CancelledReport>({ status: "cancelled", runId, activeMs, ...withSoFar(soFar) }, withoutContents);
}

function withSoFar(soFar: RunSoFar | undefined): { readonly soFar?: RunSoFar } {
  return soFar === undefined ? {} : { soFar };
}

/** Whether a step failed just now or its failure was read again must make no difference. */
function recordedError(error: unknown): StepError | undefined {
  if (!(error instanceof RunStepError) || !isObject(error.cause) || error.cause instanceof Error) return undefined;
  const { name, message } = error.cause;
  // A cause that is no error object is what the steps gave as an outcome's error.
  return typeof name === "string" && typeof message === "string" ? (error.cause as unknown as StepError) : undefined;
}

/** A wall time that was cut off has no number, and JSON has none for that. */
function finite<Limit extends { readonly limit: number; readonly used: number }>(
  limit: Limit,
  activeMs: number,
): Limit {
  return Number.isFinite(limit.used) ? limit : { ...limit, used: Math.max(limit.limit, activeMs) };
}

function withoutContents<Report extends FailedReport | CancelledReport>(report: Report): Report {
  if (report.soFar === undefined) return report;
  const { compaction: _, ...soFar } = report.soFar;
  return { ...report, soFar: { ...soFar, contents: [] }, omitted: ["contents"] };
}

const MAX_BYTES = 16 * 1024 * 1024;

/** The report as its JSON says it, made shorter until it can be kept. */
function plain<Report extends RunReport>(whole: Report, ...shorter: readonly ((report: Report) => Report)[]): Report {
  let report = whole;
  let text = textOf(report);
  for (const shorten of shorter) {
    if (text !== undefined && byteLength(text, MAX_BYTES) <= MAX_BYTES) break;
    report = shorten(report);
    text = textOf(report);
  }
  return JSON.parse(text ?? "") as Report;
}

/** `undefined` for one that is longer than a text can be. */
function textOf(report: RunReport): string | undefined {
  try {
    return JSON.stringify(report);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
