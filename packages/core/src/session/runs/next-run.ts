import { NothingToResumeError, RunIdTakenError, SessionRunningError } from "../../errors/session-errors.ts";
import { abortable } from "../../internal/abort.ts";
import type { RunResult } from "../../loop/result.ts";
import type { RunningLoop } from "../../loop/run-stream.ts";
import type { ReadSource } from "../../tool/reads.ts";
import type { Content } from "../../wire/types/content.ts";
import { isResumable } from "../log/entries.ts";
import { lookUntil } from "../lease/lease.ts";
import { buildAnswerEntries, openQuestions, storeAnswers } from "./session-answers.ts";
import { readRun } from "./read-run.ts";
import { type Answers, type DecidedRequest, hasAnswers, type RunRequest } from "./session-host.ts";
import { SessionRuns } from "./session-runs.ts";

/** Decides what a session does next: begin a run, resume one, follow one that is in progress, or return the last result again. */
export class NextRun<Options> extends SessionRuns<Options> {
  /** Sends a message, or sends one again, in any state of the session. */
  send(request: RunRequest<Options>): RunningLoop {
    const decide = async (run: DecidedRequest<Options>): Promise<RunResult<unknown>> => {
      if (run.whileRunning === "refuse" && run.unfinished !== "steer") return await this.beginRun(run);
      const running = await this.settle("known", run.signal);
      return await (running === undefined ? this.#beginOn(run) : this.#whileRunning(run, running));
    };
    return this.#decided(request, decide, (error) => mayWait(request, error));
  }

  /** Resumes the last run from where it stopped. */
  resume(request: RunRequest<Options>): RunningLoop {
    return this.#decided(request, (run) => this.resumeRun(run));
  }

  /** Does what fits the session's state and the request. */
  continue(request: RunRequest<Options>): RunningLoop {
    const decide = async (decided: DecidedRequest<Options>): Promise<RunResult<unknown>> => {
      const { runId, stored } = decided;
      const running = await this.settle("known", decided.signal);
      const { view } = this.log;
      const run = stored.answers === true ? { ...decided, answers: {} } : decided;
      const answers = hasAnswers(run.answers);
      // A message that was sent before under this id is not sent again.
      const isStored = view.steerOf(runId) !== undefined;
      const isNew = hasMessage(run) && !view.runIds.has(runId);
      if (running !== undefined) {
        const isUnstored = isNew && !isStored;
        if (isUnstored && run.whileRunning === "refuse") throw new SessionRunningError(this.log.id, running);
        if (answers) await this.answer(run.answers);
        stored.answers = true;
        return await (isUnstored ? this.#whileRunning(run, running) : this.#follow(run, running));
      }
      const isOld = view.runIds.has(runId) && view.run?.entry.runId !== runId;
      if (isOld && !answers) return await this.opener.recall(runId, run);
      if (!isNew) return await this.#withoutMessage(run, answers);
      if (isStored) stored.message = true;
      return await (answers ? this.resumeRun(run) : this.#beginOn(run));
    };
    return this.#decided(request, decide, (error) => error instanceof RunIdTakenError || mayWait(request, error));
  }

  /** Stores answers to the last run's questions; see {@link storeAnswers}. */
  async answer(answers: Answers): Promise<void> {
    const { log, host } = this;
    await storeAnswers(log, answers, ({ name }) => host.findTool(name, undefined)?.tool);
  }

  /** Stores a steering message once. @returns The id of the run that reads it or has read it; `undefined` when the next one will. */
  async steer(
    contents: readonly Content[],
    read: readonly ReadSource[] | undefined,
    id: string | undefined,
  ): Promise<string | undefined> {
    const { log } = this;
    await log.refresh();
    await log.append({}, (view) => {
      if (id !== undefined && view.knowsMessage(id)) return [];
      this.checkRoom(contents);
      return [{ type: "steer", contents, read, id }];
    });
    // The message began a run meanwhile.
    if (id !== undefined && log.view.runIds.has(id)) return id;
    const { state } = await this.leases.look();
    const { run, steering } = log.view;
    const steer = id === undefined ? undefined : log.view.steerOf(id);
    if (steer !== undefined && steer.position < steering.cursor) return run?.entry.runId;
    return state === "held" && run !== undefined && run.end === undefined ? run.entry.runId : undefined;
  }

  async #withoutMessage(run: DecidedRequest<Options>, answered: boolean): Promise<RunResult<unknown>> {
    const { view, id } = this.log;
    const { run: last } = view;
    const wasSteered = view.steering.unread.length > 0;
    if (last === undefined) {
      if (!wasSteered) throw new NothingToResumeError(id, "it has no run to resume; send a message first");
      // Rejects any answer: the questions were withdrawn.
      buildAnswerEntries(id, view, run.answers);
      return await this.beginRun({ ...run, message: [] });
    }
    const waits = (last.end?.pending ?? []).length > 0 && !answered;
    const canResume = last.end === undefined || isResumable(last.end);
    if (waits && (await this.jobs.check(run.options, run.signal))) {
      const { runId } = (view.run ?? last).entry;
      return await this.resumeRun(run).catch((error: unknown) => {
        // Another process found that out first.
        if (error instanceof NothingToResumeError) return this.opener.recall(runId, run);
        throw error;
      });
    }
    if ((canResume && !waits) || answered) return await this.resumeRun(run);
    // A message that was sent before asks for the result of its own run.
    return await (wasSteered && !waits && !hasMessage(run)
      ? this.beginRun({ ...run, message: [] })
      : this.opener.recall(last.entry.runId, run));
  }

  /** Begins a run on a message. If it is stored as steering, follows the run that has read it, or will once it is answered. */
  async #beginOn(run: DecidedRequest<Options>): Promise<RunResult<unknown>> {
    const { unfinished, replaces, stored } = run;
    const waiting = unfinished === "steer" && replaces === undefined ? await this.#steerWaiting(run) : undefined;
    if (waiting !== undefined) return await this.opener.recall(waiting, run);
    if (stored.message !== true) return await this.beginRun(run);
    const { view } = this.log;
    const { run: last } = view;
    const isRead = view.steering.unread.length === 0;
    // A stored message is no longer refused: the run that must not be closed reads it.
    const isKept = unfinished === "refuse" && (last?.end === undefined || openQuestions(last).length > 0);
    return await ((isRead || isKept) && last !== undefined
      ? this.#follow(run, last.entry.runId)
      : this.beginRun({ ...run, message: [] }));
  }

  /** Steers the last run if it waits for an answer. @returns The run's id. */
  async #steerWaiting({ message = [], read, runId: id }: RunRequest<Options>): Promise<string | undefined> {
    const { log } = this;
    await log.refresh();
    let waiting: string | undefined;
    await log.append({}, (view) => {
      const { run } = view;
      waiting = run?.end !== undefined && openQuestions(run).length > 0 ? run.entry.runId : undefined;
      return waiting === undefined || view.knowsMessage(id) ? [] : [{ type: "steer", contents: message, read, id }];
    });
    return waiting;
  }

  async #whileRunning(run: DecidedRequest<Options>, running: string): Promise<RunResult<unknown>> {
    const { whileRunning, stored, signal } = run;
    if (whileRunning === "refuse") throw new SessionRunningError(this.log.id, running);
    if (whileRunning === "steer") {
      // On a retry, the message is stored already.
      const steered = stored.message === true ? running : await this.steer(run.message ?? [], run.read, run.runId);
      stored.message = true;
      if (steered !== undefined) return await this.#follow(run, steered);
    } else if (whileRunning === "replace") await this.stop(signal);
    else await this.settle("over", signal);
    return await this.#beginOn(run);
  }

  /** Waits for a run of another process or object, then returns its result and events. Resumes the run if its process dies meanwhile. */
  async #follow(run: DecidedRequest<Options>, runId: string): Promise<RunResult<unknown>> {
    const { log, leases } = this;
    const isOver = await lookUntil(log.store, log.id, run.signal, async () => {
      const found = await leases.look();
      const { run: last } = log.view;
      if (last?.entry.runId !== runId || last.end !== undefined) return { found: true };
      if (found.state === "held") return { againInMs: found.leftMs };
      if (this.current === undefined) return { found: false };
      // A run of this object is not over just because it renewed its lease too late.
      await abortable(this.current.over, run.signal);
      return { againInMs: 0 };
    });
    return await (isOver
      ? this.opener.recall(runId, run)
      : this.resumeRun({ ...run, message: undefined, answers: {} }));
  }

  /** A run that is decided when it is read; again if another process was faster, and the caller would wait for it. */
  #decided(
    request: RunRequest<Options>,
    decide: (run: DecidedRequest<Options>) => Promise<RunResult<unknown>>,
    again: (error: unknown) => boolean = () => false,
  ): RunningLoop {
    return readRun(async (reader) => {
      const signals = [request.signal, reader.left, this.released];
      const signal = AbortSignal.any(signals.filter((one) => one !== undefined));
      const run = { ...request, signal, reader, stored: {} };
      for (;;) {
        try {
          return await decide(run);
        } catch (error) {
          if (reader.left.aborted || !again(error)) throw error;
        }
      }
    });
  }
}

/** True when another run was faster, and the caller would wait for it. */
function mayWait(request: RunRequest<unknown>, error: unknown): boolean {
  return error instanceof SessionRunningError && (request.whileRunning !== "refuse" || !hasMessage(request));
}

function hasMessage({ message, replaces }: RunRequest<unknown>): boolean {
  return message !== undefined || replaces !== undefined;
}
