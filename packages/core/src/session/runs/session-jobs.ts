import { stepName, waitName } from "../../durable/run-log.ts";
import { SessionConflictError } from "../../errors/run-errors.ts";
import { JobReportError } from "../../errors/session-errors.ts";
import { isObject, type Json, sameJson } from "../../internal/json.ts";
import { jobWait } from "../../loop/calls/job-call.ts";
import { jsonSafe } from "../../tool/function-response.ts";
import { type JobContext, type JobReport, readJobCallback } from "../../tool/job.ts";
import type { PendingCall, ToolJob } from "../../tool/tool.ts";
import { isResumable } from "../log/entries.ts";
import { findLeader } from "../log/run-turns.ts";
import type { RecordedJob, RunRecord } from "../log/run-record.ts";
import type { NewEntry, SessionLog } from "../log/session-log.ts";
import type { SessionView } from "../log/session-view.ts";
import { buildAnswerEntries, listOpenCalls, openQuestions, parseOutput } from "./session-answers.ts";
import type { SessionHost } from "./session-host.ts";

/** Maximum size of a job's progress, in characters of JSON. */
const MAX_PROGRESS = 16_384;

/** The jobs that a session's last run has started. */
export class SessionJobs<Options> {
  readonly #log: SessionLog;
  readonly #host: SessionHost<Options>;

  constructor(log: SessionLog, host: SessionHost<Options>) {
    this.#log = log;
    this.#host = host;
  }

  /**
   * Stores the progress or outcome of a job, by its id or callback.
   *
   * @throws {JobReportError} For a job that no run waits for, an outcome that differs from the first, and an output that doesn't fit.
   */
  async report(job: string, report: JobReport): Promise<void> {
    const { id, view } = this.#log;
    await this.#log.refresh();
    const target = findTarget(id, view, job);
    let value = readReport(report);
    const found = "output" in value && this.#find(target.run, target, undefined, new AbortController().signal);
    if (found) value = readReport({ output: await parseOutput(id, job, found.job, value["output"]) });
    await this.#store(job, value);
  }

  /**
   * Checks the jobs that the last run waits for, once, and stores what is new.
   *
   * @returns Whether the run can continue.
   */
  async check(options: Options, signal: AbortSignal): Promise<boolean> {
    const { view } = this.#log;
    const { run } = view;
    const waiting = (run?.end?.pending ?? []).filter(({ question }) => question === "job");
    if (run === undefined || waiting.length === 0) return false;
    await Promise.all(
      waiting.map(async ({ callId, call, job: { jobId, since } = NO_JOB }) => {
        const found = this.#find(run, { callId, since, name: call.name }, options, signal);
        try {
          const report = await found?.job.check?.(jobId, found.context);
          if (report !== undefined) await this.#store(jobId, readReport(report));
        } catch (error) {
          signal.throwIfAborted();
          // Another report was faster.
          if (error instanceof JobReportError) return;
          this.#host.logger.warn({ err: error, sessionId: this.#log.id, callId }, "a job could not be checked");
        }
      }),
    );
    await this.#log.refresh();
    const left = view.run?.end?.pending ?? [];
    return left.length === 0 || left.some(({ job }) => job?.until !== undefined && job.until <= Date.now());
  }

  /**
   * Cancels the open jobs of a run that no longer needs them, if their tools can, and records it. Never rejects.
   *
   * @param isWaited - The run still waits for them: also records jobs that can't be cancelled.
   */
  async cancel(run: RunRecord, options: Options | undefined, why: string, isWaited: boolean = false): Promise<void> {
    const { signal } = new AbortController();
    const open = [...run.jobs.values()].filter(
      ({ callId, number }) => !run.outcomes.has(waitName(callId, "job", number)),
    );
    await Promise.all(
      open.map(async (job) => {
        const { callId, jobId, number } = job;
        const found = this.#find(run, job, options, signal);
        const canCancel = found?.job.cancel !== undefined && jobId !== "";
        if (!canCancel && !isWaited) return;
        const error = canCancel ? await found.job.cancel?.(jobId, found.context) : undefined;
        const outcome = { withdrawn: why, ...(canCancel && { cancelled: error ?? true }) };
        const entry = jobEntry(run, job, { outcome });
        const isKnown = (view: SessionView): boolean =>
          view.run?.entry.runId === run.entry.runId && view.run.outcomes.has(waitName(callId, "job", number));
        await this.#log.append({}, (view) => (isKnown(view) ? [] : [entry]));
      }),
    ).catch((error: unknown) => {
      this.#host.logger.warn({ err: error, sessionId: this.#log.id }, "a cancelled job could not be recorded");
    });
  }

  async #store(job: string, value: ReportValue): Promise<void> {
    const { id } = this.#log;
    try {
      await this.#log.append({}, (view) => buildReport(id, view, job, value));
    } catch (error) {
      const isDeleted = error instanceof SessionConflictError && error.actualLength === 0;
      throw isDeleted ? new JobReportError(id, job, "unknown", "the session was deleted") : error;
    }
  }

  /** The job functions of a call's tool, if known, and their context. */
  #find(
    run: RunRecord,
    { name, callId, since = 0 }: Pick<JobTarget, "name" | "callId"> & { readonly since?: number },
    options: Options | undefined,
    signal: AbortSignal,
  ): { readonly job: ToolJob; readonly context: JobContext } | undefined {
    const { runId, metadata } = run.entry;
    const sessionId = this.#log.id;
    const host = this.#host.lead(findLeader(run));
    const found = host.findTool(name, options && { options, runId, sessionId });
    const { tool, context } = found ?? {};
    if (tool?.job === undefined) return undefined;
    return {
      job: tool.job,
      context: { runId, agent: host.agent, sessionId, metadata, context, signal, callId, since },
    };
  }
}

const NO_JOB = { jobId: "", since: 0 };

type ReportValue = { readonly [member: string]: Json | undefined };

/** @throws {TypeError} For a report of another shape, or a progress that is too long. */
function readReport(report: JobReport): ReportValue {
  const names = isObject(report) ? Object.keys(report) : [];
  const [name = ""] = names;
  if (names.length !== 1 || !["output", "error", "progress", "ask"].includes(name))
    throw new TypeError('a job reports { output }, { error: "why" }, { progress } or { ask }');
  if ("ask" in report && !isObject(report.ask)) throw new TypeError("the ask of a job must be an object of arguments");
  if ("error" in report && typeof report.error !== "string") throw new TypeError("the error of a job must be a text");
  const { value, refused } = jsonSafe(report);
  if (refused !== undefined) throw new TypeError(`the ${name} of a job has no JSON form: ${refused}`);
  // A value without a JSON form, such as undefined, is null.
  const given = { [name]: (value as ReportValue)[name] ?? null };
  if (name === "progress" && JSON.stringify(given[name]).length > MAX_PROGRESS)
    throw new TypeError(`the progress of a job may have at most ${MAX_PROGRESS} characters as JSON`);
  return given;
}

/** The call that a report is about, and the name of its tool. */
interface JobTarget extends Pick<RecordedJob, "callId" | "turn" | "name" | "number"> {
  readonly run: RunRecord;
  readonly jobId?: string | undefined;
  /** The question whether the job was started, which the report answers. */
  readonly pending?: PendingCall | undefined;
}

/** @throws {JobReportError} For a job that no run waits for. */
function findTarget(id: string, view: SessionView, job: string): JobTarget {
  const { run } = view;
  const made = readJobCallback(job);
  const isElsewhere = made !== undefined && made.sessionId !== id;
  if (run !== undefined && !isElsewhere && (made === undefined || made.runId === run.entry.runId)) {
    const { number } = made ?? {};
    const known = [...run.jobs.values()].find((one) => one.jobId === job || one.callId === made?.callId);
    // A later start is not recorded yet.
    if (known !== undefined && (number ?? 1) <= (known.number ?? 1)) return { ...known, ...(made && { number }), run };
    for (const pending of made === undefined ? [] : openQuestions(run))
      if (pending.callId === made?.callId && pending.question === "unknown-outcome")
        return { ...pending, name: pending.call.name, run, number, pending };
    // Its start is not recorded yet, and perhaps never will be.
    for (const { callId, turn, call, standing } of made === undefined ? [] : listOpenCalls(run))
      if (callId === made?.callId && standing.state !== "asking" && standing.state !== "open")
        return { callId, turn, name: call.name, run, number };
  }
  if (made !== undefined && !isElsewhere && view.runIds.has(made.runId))
    throw new JobReportError(id, job, "over", "its run is over");
  throw new JobReportError(id, job, "unknown", "its last run has started no such job");
}

/** @throws {JobReportError} {@link findTarget}; for an outcome that differs from the first. */
function buildReport(id: string, view: SessionView, job: string, value: ReportValue): readonly NewEntry[] {
  const target = findTarget(id, view, job);
  const { run, callId, number, pending } = target;
  const isProgress = "progress" in value;
  const known = run.outcomes.get(waitName(callId, "job", number))?.outcome;
  if (known !== undefined) {
    if (isProgress || (known.ok && sameJson(known.value, value))) return [];
    throw new JobReportError(id, job, "over", known.ok ? "its outcome is known" : "its run no longer waited for it");
  }
  if (run.end !== undefined && !isResumable(run.end)) throw new JobReportError(id, job, "over", "its run is over");
  if (isProgress) {
    const { progress } = value;
    if (pending !== undefined || sameJson(run.jobs.get(callId)?.progress, progress)) return [];
    return [jobEntry(run, target, { progress })];
  }
  // A report has one of these members.
  if (pending !== undefined)
    return buildAnswerEntries(id, view, { outcomes: { [pending.token]: value as { error: string } } });
  return [jobEntry(run, target, { outcome: value })];
}

function jobEntry(
  { entry: { runId } }: RunRecord,
  { callId, turn, jobId, number }: Pick<JobTarget, "callId" | "turn" | "jobId" | "number">,
  about: Pick<Extract<NewEntry, { type: "job" }>, "progress" | "outcome">,
): NewEntry {
  const place = jobWait({ turn, callId, number });
  return { type: "job", runId, callId, ...(jobId !== undefined && { jobId }), step: stepName(place), place, ...about };
}
