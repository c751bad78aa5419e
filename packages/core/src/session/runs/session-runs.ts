import { LOOP_VERSION } from "../../durable/run-log.ts";
import { ConfigurationError } from "../../errors/agent-error.ts";
import { LoopVersionError } from "../../errors/run-errors.ts";
import {
  NothingToResumeError,
  RunIdTakenError,
  SessionLimitError,
  SessionRunningError,
} from "../../errors/session-errors.ts";
import { firstDifference, present } from "../../internal/json.ts";
import { limitReached } from "../../loop/limits.ts";
import type { RunResult } from "../../loop/result.ts";
import { contentsBytes, maxContentsBytes, mostContentsBytes } from "../../model/request/check-contents.ts";
import { markOf } from "../../tool/reads.ts";
import type { Content } from "../../wire/types/content.ts";
import { lookUntil } from "../lease/lease.ts";
import { type HistorySegment, isResumable } from "../log/entries.ts";
import { readGiven, readStart, checkAnswers, findLeader, hasOpenPart } from "../log/run-turns.ts";
import { answerId, checkForkPoint, findStart, type RunStart, takeSegments } from "../log/session-view.ts";
import type { RunRecord } from "../log/run-record.ts";
import type { NewEntry } from "../log/session-log.ts";
import { closeLast, endStopped, OwnRun } from "./own-run.ts";
import type { DecidedRequest, SessionState } from "./session-host.ts";
import {
  buildAnswerEntries,
  buildWithdrawals,
  checkByTools,
  hasUnusedAnswers,
  openQuestions,
} from "./session-answers.ts";

/**
 * The runs of one session: begins them, resumes them, and records how they end. One at a time, across processes. `next-run.ts` decides
 * what a message does while a run is in progress.
 */
export class SessionRuns<Options> extends OwnRun<Options> {
  /** The runs whose config has the history that the session begins with. */
  givenTo: SessionRuns<Options> = this;

  /** Begins a run on a message; without contents, on the steering messages since the last run. */
  async beginRun(run: DecidedRequest<Options>): Promise<RunResult<unknown>> {
    const { id, view } = this.log;
    const { runId, message: given, replaces, options, metadata } = run;
    let target: string | undefined;
    return await this.make(run, runId, async () => {
      // Without contents it runs on steering messages, which may include this one.
      const isOnSteering = (given ?? []).length === 0;
      if (isOnSteering ? view.runIds.has(runId) : view.knowsMessage(runId)) throw new RunIdTakenError(id, runId);
      this.#checkLimits();
      const start = replaces && findStart(view.starts, id, target ?? replaces.messageId);
      // A retry, because another process was faster, must mean the same message.
      target ??= start && answerId(start.entry.runId);
      const message = given ?? start?.entry.input ?? [];
      const read = given === undefined ? start && readStart(start.entry) : run.read;
      this.checkRoom(message, start);
      const { run: last } = view;
      // Accepted answers take effect before the message is read. A run that is taken back is closed instead.
      if (start === undefined && run.unfinished !== "refuse" && last !== undefined && hasUnusedAnswers(last)) {
        checkAnswers(id, last);
        const isStored = view.steerOf(runId) !== undefined;
        const steer: NewEntry[] = isStored ? [] : [{ type: "steer", id: runId, contents: given ?? [], read: run.read }];
        const resume: NewEntry = { type: "resume", runId: last.entry.runId };
        return { runId: resume.runId, mode: "resume", entries: [resume, ...buildWithdrawals(last), ...steer] };
      }
      const unfinished = start === undefined ? run.unfinished : "close";
      const { closing, withdrawn } = await closeLast(this.log, this.host, unfinished, options);
      // The leading agent gets the message, or the agent that got the message that it replaces.
      const leader = start?.entry.agent ?? (view.run && findLeader(view.run));
      const host = leader === undefined || this.takesOver ? this.host : this.host.lead(leader);
      const rewind: NewEntry[] = start === undefined ? [] : [{ type: "rewind", before: start.entry.runId, withdrawn }];
      const entry: NewEntry = {
        type: "run",
        runId,
        loop: LOOP_VERSION,
        agent: host.agent,
        model: host.model.id,
        origin: host.origin,
        input: message,
        read,
        metadata,
        ...host.describe(options, { runId, sessionId: id, metadata }),
        ...(!run.keepInterrupted && { dropInterrupted: true }),
        withdrawn: start === undefined ? withdrawn : undefined,
      };
      const parts = this.#given();
      const history: NewEntry[] = parts.length > 0 ? [{ type: "history", parts, loop: LOOP_VERSION }] : [];
      const entries = [...closing, ...rewind, ...history, ...this.#aboutEntries(), entry];
      return { runId, mode: "begin", entries, closes: last };
    });
  }

  /** Resumes the last run from where it stopped. A message in the request is stored with the answers, unless it is stored already. */
  async resumeRun(run: DecidedRequest<Options>): Promise<RunResult<unknown>> {
    const { id, view } = this.log;
    return await this.make(run, view.run?.entry.runId ?? "", async () => {
      const record = view.run;
      // Reports what happened to the questions that were withdrawn.
      if (record === undefined && view.runIds.size > 0) buildAnswerEntries(id, view, run.answers);
      if (record === undefined) throw new NothingToResumeError(id, "it has no run yet");
      const { runId, loop } = record.entry;
      if (record.end !== undefined && !isResumable(record.end)) {
        // Rejects any answer: nothing waits for one.
        buildAnswerEntries(id, view, run.answers);
        throw new NothingToResumeError(id, `its last run has ended (${record.end.stopReason})`);
      }
      checkAnswers(id, record);
      if (loop !== LOOP_VERSION && !run.anyLoopVersion && hasOpenPart(record))
        throw new LoopVersionError(runId, loop, LOOP_VERSION);
      buildAnswerEntries(id, view, run.answers);
      const about = { options: run.options, runId, sessionId: id };
      const host = this.host.lead(findLeader(record));
      const checked = await checkByTools(id, record, run.answers, ({ name }) => host.findTool(name, about)?.tool);
      const answers = buildAnswerEntries(id, view, checked);
      const steer: NewEntry[] = [];
      if (run.message !== undefined && !view.knowsMessage(run.runId)) {
        this.checkRoom(run.message);
        steer.push({ type: "steer", id: run.runId, contents: run.message, read: run.read });
      }
      return { runId, mode: "resume", entries: [{ type: "resume", runId }, ...answers, ...steer] };
    });
  }

  /** Takes the conversation back to before a message, and returns the message. Closes a last run that was cut off, with the options. */
  async rewind(
    messageId: string | undefined,
    options: Options,
    signal: AbortSignal | undefined,
  ): Promise<readonly Content[]> {
    const { id, view } = this.log;
    if (this.current !== undefined) throw new SessionRunningError(id, this.current.runId);
    let target = messageId;
    let message: readonly Content[] = [];
    let last: RunRecord | undefined;
    await this.leases.appendAlone(signal, async () => {
      const { runId, input } = findStart(view.starts, id, target).entry;
      // A retry, because another process was faster, must mean the same message.
      target = answerId(runId);
      message = input;
      last = view.run;
      const { closing, withdrawn } = await closeLast(this.log, this.host, "close", options);
      return { runId, entries: [...closing, { type: "rewind", before: runId, withdrawn }] };
    });
    if (last !== undefined) await this.jobs.cancel(last, options, "the conversation was taken back");
    return message;
  }

  /** Waits until no run is in progress, or, with `known`, until that is certain for one. @returns Its id; `undefined` when none is. */
  async settle(until: "known" | "over", signal: AbortSignal | undefined): Promise<string | undefined> {
    return await lookUntil(this.log.store, this.log.id, signal, async () => {
      const current = this.current;
      await (until === "known" ? current?.taken : current?.over);
      if (until === "known" && current !== undefined && this.current === current) return { found: current.runId };
      const found = await this.leases.look();
      if (found.state === "free") return { found: undefined };
      return until === "known" && found.renewedRecently ? { found: found.lease.runId } : { againInMs: found.leftMs };
    });
  }

  /** Stops the run in progress, in any process, and waits for its end, or cancels the jobs of a waiting run. @returns False without either. */
  async stop(signal: AbortSignal | undefined): Promise<boolean> {
    if (await this.leases.stop(signal)) {
      await this.current?.over;
      return true;
    }
    await this.log.refresh();
    const { run } = this.log.view;
    const waits = run?.end?.pending?.some(({ question }) => question === "job") ?? false;
    if (!waits || run === undefined) return false;
    await this.jobs.cancel(run, undefined, "the run was stopped", true);
    const { runId } = run.entry;
    // Unless it continues elsewhere, or waits for a person.
    await this.log.append({}, ({ run: now }) =>
      now?.entry.runId === runId && now.end?.pending?.length === 0 ? [endStopped(now, this.log.id)] : [],
    );
    return true;
  }

  /** The state of the session. */
  async state(): Promise<SessionState> {
    const { state } = await this.leases.look();
    const { run, info } = this.log.view;
    const isRunning = state === "held" && run !== undefined && run.end === undefined;
    return {
      ...present(info.ended),
      lastRun: run === undefined ? undefined : isRunning ? "running" : (run.end?.stopReason ?? "cut-off"),
      resumable: run !== undefined && !isRunning && (run.end === undefined || isResumable(run.end)),
      pending: run === undefined ? [] : openQuestions(run),
    };
  }

  /** The first entry of a fork. @param cut - How many contents. @throws {TypeError} When the cut leaves a call open. */
  async forkAt(cut?: number): Promise<NewEntry> {
    await this.log.refresh();
    const all = this.history();
    const contents = cut ?? all.length;
    checkForkPoint(all, contents);
    const parts = takeSegments(this.segments(), contents);
    return { type: "history", parts, loop: LOOP_VERSION, from: { session: this.log.id, contents } };
  }

  /** All contents of the conversation, as they are sent. */
  history(): readonly Content[] {
    return [...this.#given().flatMap(({ contents }) => contents), ...this.log.view.history()];
  }

  /** The same, in segments of one origin each. */
  segments(): readonly HistorySegment[] {
    return [...this.#given(), ...this.log.view.allSegments()];
  }

  /** The contents that a new session begins with. */
  #given(): readonly HistorySegment[] {
    const { segments, runIds } = this.log.view;
    const { history: contents = [], historyReads } = this.givenTo.config;
    const { origin } = this.givenTo.host;
    if (segments.length > 0 || runIds.size > 0 || contents.length === 0) return [];
    if (historyReads === undefined) return readGiven(contents, origin);
    const reads = markOf(historyReads);
    return [{ origin, contents, ...(reads !== undefined && { read: [{ tool: "history", reads }] }) }];
  }

  #aboutEntries(): readonly NewEntry[] {
    const { about } = this.config;
    if (about === undefined) return [];
    const { title, info } = this.log.view.info;
    const isKnown =
      (about.title === undefined || about.title === title) &&
      (about.owner === undefined || about.owner === info?.owner) &&
      (about.metadata === undefined || firstDifference(about.metadata, info?.metadata ?? {}) === undefined);
    return isKnown ? [] : [{ type: "info", ...about }];
  }

  /** Refuses a message that no request could answer, before anything is stored. */
  #checkLimits(): void {
    const { limits } = this.config;
    const spent = this.log.view.spent();
    if (limits?.cost !== undefined && spent.unpriced !== undefined)
      throw new ConfigurationError(
        `${spent.unpriced} answered in the session ${this.log.id} without a price: the session's cost is unknown, so limits.cost cannot hold. Resume that run with prices for it, or send without the limit.`,
      );
    const reached = limits === undefined ? undefined : limitReached(limits, spent);
    if (reached !== undefined) throw new SessionLimitError(this.log.id, reached.name, reached.limit, reached.used);
  }

  /** Refuses a message that makes the next request too large. @param start - Start of the run that the message replaces. */
  checkRoom(message: readonly Content[], start?: RunStart): void {
    const { view } = this.log;
    const allowed = maxContentsBytes(this.host.model);
    const queued = view.steering.unread.flatMap((steer) => steer.contents);
    const contents =
      start === undefined ? this.history() : view.segments.slice(0, start.segments).flatMap((one) => one.contents);
    const compaction = start === undefined ? view.lastCompaction() : start.compaction;
    const sent = [...contents.slice(compaction?.keepFrom ?? 0), ...queued, ...message];
    if (mostContentsBytes(sent) <= allowed) return;
    const used = contentsBytes(sent);
    if (used > allowed) throw new SessionLimitError(this.log.id, "requestBytes", allowed, used);
  }
}
