import { journal, type JournalLog } from "../durable/journal.ts";
import { LOOP_VERSION, waitName } from "../durable/run-log.ts";
import { describeError } from "../durable/steps.ts";
import { LoopVersionError, SessionUnfinishedError } from "../errors/run-errors.ts";
import { isObject } from "../internal/json.ts";
import type { RunEvent } from "../loop/events.ts";
import { attachRunSoFar, NOTHING_YET, type RunResult } from "../loop/result.ts";
import type { RunEmitters, RunningLoop } from "../loop/run-stream.ts";
import { prepareHistory } from "../model/history/import-history.ts";
import type { Approval, ExternalOutcome, PendingCall, PendingQuestion } from "../tool/tool.ts";
import { jsonSafe } from "../tool/function-response.ts";
import type { Content } from "../wire/types/content.ts";
import { type EndEntry, isResumable } from "./entries.ts";
import type { OpenedRun, SessionHost, SessionLimits, SessionRunMode } from "./session-host.ts";
import type { NewEntry, SessionLog } from "./session-log.ts";
import { buildRefs, type HistorySegment, placeCutInHistory, placeCutInSent, type RunRecord } from "./session-view.ts";

/** What a session does about a run that was cut off when the next message comes. */
export type Unfinished = "refuse" | "cancel";

/** One run of a session, about to be read. */
export interface SessionRunRequest<Options> {
  readonly options: Options;
  readonly emitters: RunEmitters | undefined;
}

/** The runs of one session: begins them, resumes them, and records how they end. One at a time. */
export class SessionRuns<Options> {
  readonly log: SessionLog;
  readonly #host: SessionHost<Options>;
  readonly #limits: SessionLimits | undefined;
  readonly #conversation = {};
  #busy = false;

  constructor(log: SessionLog, host: SessionHost<Options>, limits?: SessionLimits) {
    this.log = log;
    this.#host = host;
    this.#limits = limits;
  }

  /** A new run on a message. */
  begin(
    run: SessionRunRequest<Options> & {
      readonly input: readonly Content[];
      readonly runId: string;
      readonly unfinished: Unfinished;
    },
  ): RunningLoop {
    return this.#loop(async (beforeEnd) => {
      await this.log.refresh();
      await this.#settleLast(run.unfinished, run.options);
      await this.log.append({
        type: "run",
        runId: run.runId,
        loop: LOOP_VERSION,
        model: this.#host.model.id,
        origin: this.#host.origin,
        input: run.input,
      });
      return this.open(this.#lastRun(), run, { mode: "begin", beforeEnd });
    });
  }

  /** The last run once more, from where it stopped. */
  resume(
    run: SessionRunRequest<Options> & { readonly answers: ExternalAnswers; readonly anyLoopVersion: boolean },
  ): RunningLoop {
    return this.#loop(async (beforeEnd) => {
      await this.log.refresh();
      const record = this.#lastRun();
      const { runId, loop } = record.entry;
      if (record.end !== undefined && !isResumable(record.end))
        throw new TypeError(
          `session "${this.log.id}": its last run has ended (${record.end.stopReason}); there is nothing to resume`,
        );
      if (loop !== LOOP_VERSION && !run.anyLoopVersion) throw new LoopVersionError(runId, loop, LOOP_VERSION);
      const answers = buildAnswerEntries(record, run.answers);
      await this.log.append({ type: "resume", runId }, ...answers);
      return this.open(record, run, { mode: "resume", beforeEnd });
    });
  }

  /** Opens the loop over a run's record. */
  open(record: RunRecord, run: SessionRunRequest<Options>, how: OpenRecordOptions): OpenedRun {
    const { runId, input } = record.entry;
    const { mode = "read", log = this.log.journalLog(runId), beforeEnd, missing } = how;
    const before = this.#contentsBefore();
    return this.#host.open({
      options: run.options,
      sessionId: this.log.id,
      runId,
      mode,
      contents: [...before, ...input],
      historyLength: before.length,
      compaction: placeCutInSent(this.log.view, before),
      conversation: this.#conversation,
      emitters: run.emitters,
      beforeEnd,
      steps: ({ signal, emit }) => journal<RunEvent>({ runId, signal, emit, log, missing }),
      steering: { take: (after) => this.#steered(after) },
      steeringCursor: record.steeringCursor,
      limits: this.#limits,
      spentBefore: record.spentBefore,
    });
  }

  /** What was said before a run, fit for this session's model. */
  #contentsBefore(): readonly Content[] {
    const { origin: to } = this.#host;
    return this.log.view.segments.flatMap(({ origin: from, contents }) => {
      const isOwn = from?.endpoint === to.endpoint && from.family === to.family;
      return isOwn ? contents : prepareHistory(contents, { from, to });
    });
  }

  async #steered(after: number): Promise<{ readonly contents: readonly Content[]; readonly upTo: number } | undefined> {
    await this.log.refresh();
    const said = this.log.view.steersAfter(after);
    const last = said.at(-1);
    if (last === undefined) return undefined;
    return { contents: said.flatMap((one) => [...one.contents]), upTo: last.position + 1 };
  }

  #lastRun(): RunRecord {
    const { run } = this.log.view;
    if (run === undefined) throw new TypeError(`session "${this.log.id}" has no run yet: send a message`);
    return run;
  }

  /** Makes way for the next message, or refuses it. */
  async #settleLast(unfinished: Unfinished, options: Options): Promise<void> {
    const { run } = this.log.view;
    if (run === undefined) return;
    const { runId } = run.entry;
    const waits = run.end?.pending !== undefined;
    if (run.end !== undefined && (!waits || unfinished === "cancel")) return;
    if (unfinished === "refuse") {
      const why = waits ? "its last run waits for an answer" : "its last run was cut off";
      throw new SessionUnfinishedError(this.log.id, runId, why);
    }
    await this.#closeCutOff(run, options);
  }

  /** Reads a run that was cut off as far as its log goes, and writes down that it is over. */
  async #closeCutOff(record: RunRecord, options: Options): Promise<void> {
    const cutOff = new DOMException("the run was cut off here", "AbortError");
    const missing = (): never => {
      throw cutOff;
    };
    const opened = this.open(record, { options, emitters: undefined }, { missing });
    let how: RunEnding = { stopReason: "aborted", error: describeError(cutOff) };
    try {
      // All was done but for writing down that it was.
      how = buildEnding(await opened.run());
    } catch (error) {
      if (error !== cutOff) throw error;
    } finally {
      opened.release();
    }
    await this.log.append(buildEndEntry(record, opened, this.log.view.segments, how));
  }

  /** A run that is prepared and made, and whose end is recorded, whatever it is. */
  #loop(prepare: (beforeEnd: (result: RunResult<unknown>) => Promise<void>) => Promise<OpenedRun>): RunningLoop {
    if (this.#busy)
      throw new TypeError(`session "${this.log.id}" is still running: wait for its run, steer it or abort it`);
    let opened: OpenedRun | undefined;
    let released = false;
    this.#busy = true;
    const run = async (): Promise<RunResult<unknown>> => {
      let ended = false;
      try {
        opened = await prepare(async (result) => {
          // Before the run reports its end: whoever reads that may rely on it.
          await this.#append(opened, buildEnding(result));
          ended = true;
        });
        this.log.running = true;
        if (released) opened.release();
        return await opened.run();
      } catch (error) {
        if (opened === undefined) throw error;
        attachRunSoFar(error, opened.soFar());
        const how = released ? { stopReason: "aborted" as const, error: LEFT } : buildFailure(error, opened.aborted());
        if (!ended) await this.#tryAppend(opened, how);
        throw error;
      } finally {
        opened?.release();
        this.#busy = false;
        this.log.running = false;
      }
    };
    return {
      run,
      soFar: () => opened?.soFar() ?? NOTHING_YET,
      release: () => {
        released = true;
        opened?.release();
      },
    };
  }

  async #append(opened: OpenedRun | undefined, how: RunEnding): Promise<void> {
    const record = this.log.view.run;
    if (record === undefined || opened === undefined) throw new TypeError("the run could not be recorded");
    await this.log.append(buildEndEntry(record, opened, this.log.view.segments, how));
  }

  /** The run's own error matters more than that its end could not be written: a run without end is one that was cut off. */
  async #tryAppend(opened: OpenedRun, how: RunEnding): Promise<void> {
    try {
      await this.#append(opened, how);
    } catch (error) {
      const { id, view } = this.log;
      this.#host.logger.warn(
        { err: error, session: id, runId: view.run?.entry.runId },
        "the run's end could not be written",
      );
    }
  }
}

function buildFailure(error: unknown, aborted: boolean): RunEnding {
  return { stopReason: aborted ? "aborted" : "failed", error: describeError(error) };
}

/** The reader of the run left in the middle of it. */
const LEFT = { name: "RunAbandonedError", message: "the reader left before the run ended", code: "run_aborted" };

/** How a record is opened. */
export interface OpenRecordOptions {
  /** @defaultValue "read" */
  readonly mode?: SessionRunMode | undefined;
  /** What the run's steps left, and where it is written. @defaultValue the session's log */
  readonly log?: JournalLog | undefined;
  /** Called with the result before the run reports its end. */
  readonly beforeEnd?: ((result: RunResult<unknown>) => Promise<void>) | undefined;
  /** Called instead of an operation that has no outcome yet. */
  readonly missing?: ((op: { readonly name: string }) => never) | undefined;
}

/** How a run ended, in the words of its log. */
export type RunEnding = Pick<EndEntry, "stopReason" | "limit" | "pending" | "error">;

/** The ending of a run that gave a result. */
export function buildEnding(result: RunResult<unknown>): RunEnding {
  const { stopReason } = result;
  if (stopReason === "limit") return { stopReason, limit: result.limit.name };
  return "pending" in result ? { stopReason, pending: result.pending } : { stopReason };
}

/** The entry that ends a run. */
export function buildEndEntry(
  record: RunRecord,
  run: OpenedRun,
  segments: readonly HistorySegment[],
  how: RunEnding,
): Extract<NewEntry, { type: "end" }> {
  const { contents, compaction } = run.soFar();
  const { turns, toolCalls, usage, cost } = run.spent();
  return {
    type: "end",
    runId: record.entry.runId,
    added: buildRefs(contents.slice(run.historyLength + record.entry.input.length), record.outcomes),
    turns,
    toolCalls,
    usage,
    ...(cost > 0 && { cost }),
    ...(compaction !== undefined && {
      compaction: placeCutInHistory(compaction, contents, run.historyLength, segments),
    }),
    ...how,
  };
}

/** Answers to what a run waits for, by call id. */
export interface ExternalAnswers {
  readonly approvals: { readonly [callId: string]: Approval };
  readonly outcomes: { readonly [callId: string]: ExternalOutcome };
}

/**
 * The entries that record some answers.
 *
 * @throws {TypeError} For an answer nobody waits for; names the calls that do wait.
 */
function buildAnswerEntries(record: RunRecord, answers: ExternalAnswers): NewEntry[] {
  const pending = record.end?.pending ?? [];
  return (["approvals", "outcomes"] as const).flatMap((kind) =>
    Object.entries(answers[kind]).map(([callId, answer]) => buildEntry(record, find(pending, callId, kind), answer)),
  );
}

function find(pending: readonly PendingCall[], callId: string, kind: "approvals" | "outcomes"): PendingCall {
  const found = pending.find(
    (one) => one.callId === callId && (one.question === "approval") === (kind === "approvals"),
  );
  if (found !== undefined) return found;
  const waiting = pending.map((one) => `${one.callId} (${one.call.name}: ${one.question})`).join(", ");
  throw new TypeError(
    `${kind}: ${callId} does not wait for one; ${waiting === "" ? "nothing does: call resume() without answers" : `what waits: ${waiting}`}`,
  );
}

function buildEntry(
  record: RunRecord,
  { callId, question }: PendingCall,
  answer: Approval | ExternalOutcome,
): NewEntry {
  if (question === "outcome" && isObject(answer) && "notExecuted" in answer)
    throw new TypeError(`outcomes: ${callId} is an external call, so it needs an output or an error`);
  return {
    type: "answer",
    runId: record.entry.runId,
    step: nextWait(record, callId, question),
    // A function without a result has the output null, here as in a tool.
    value: jsonSafe(isVoid(answer) ? { output: null } : answer).value,
  };
}

/** The wait that has no answer yet: the same may be asked more than once. */
function nextWait({ outcomes }: RunRecord, callId: string, question: PendingQuestion): string {
  let time = 1;
  while (outcomes.has(waitName(callId, question, time))) time++;
  return waitName(callId, question, time);
}

function isVoid(answer: unknown): boolean {
  return isObject(answer) && "output" in answer && answer["output"] === undefined;
}
