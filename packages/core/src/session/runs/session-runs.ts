import { LOOP_VERSION } from "../../durable/run-log.ts";
import { LoopVersionError } from "../../errors/run-errors.ts";
import {
  NothingToResumeError,
  RunIdTakenError,
  RunStoppedError,
  SessionLimitError,
  SessionRunningError,
} from "../../errors/session-errors.ts";
import { firstDifference } from "../../internal/json.ts";
import { parseTraceparent } from "../../internal/traceparent.ts";
import { bindLogger, type Logger } from "../../logging/logger.ts";
import { limitReached } from "../../loop/limits.ts";
import { attachRunSoFar, NOTHING_YET, type RunResult } from "../../loop/result.ts";
import type { RunningLoop } from "../../loop/run-stream.ts";
import type { Content, JsonObject } from "../../wire/types/content.ts";
import { DraftWriter } from "../lease/draft-writer.ts";
import { isResumable } from "../log/entries.ts";
import { checkAnswers } from "../log/find-damage.ts";
import { type HeldLease, lookUntil } from "../lease/lease.ts";
import type { LeaseFinding } from "../lease/lease-observer.ts";
import { LeaseTaker, type TakeLease, type TakenRun } from "../lease/lease-taker.ts";
import { RecordOpener, type RunReading } from "./record-opener.ts";
import { answerId, findStart } from "../log/rewind.ts";
import { lastRun, RunCloser, type Unfinished } from "./run-closer.ts";
import { buildFailure, LEFT } from "./run-ending.ts";
import { buildAnswerEntries, checkEdits, type ExternalAnswers } from "./session-answers.ts";
import type { OpenedRun, SessionHost, SessionLimits } from "./session-host.ts";
import type { NewEntry, SessionLog } from "../log/session-log.ts";

/** One run of a session, about to be read. */
export interface SessionRunRequest<Options> extends RunReading<Options> {
  /** Ends waiting for others. */
  readonly signal: AbortSignal | undefined;
}

/** How a session is kept. */
export interface SessionKeeping {
  readonly limits: SessionLimits | undefined;
  /** What the application says about it; written with its next run when that is new. */
  readonly about?: SessionAbout | undefined;
  /** @defaultValue 15_000 */
  readonly leaseMs?: number | undefined;
}

/** The runs of one session: begins them, resumes them, and records how they end. One at a time, in whatever processes. */
export class SessionRuns<Options> {
  readonly log: SessionLog;
  readonly #host: SessionHost<Options>;
  readonly #keeping: SessionKeeping;
  readonly #opener: RecordOpener<Options>;
  readonly #leases: LeaseTaker;
  readonly #closer: RunCloser<Options>;
  /** The run of this object that is going. */
  #current: CurrentRun | undefined;

  constructor(log: SessionLog, host: SessionHost<Options>, keeping: SessionKeeping) {
    this.log = log;
    this.#host = host;
    this.#keeping = keeping;
    this.#opener = new RecordOpener(log, host, keeping.limits);
    this.#leases = new LeaseTaker(log, keeping.leaseMs);
    this.#closer = new RunCloser(log, this.#opener);
  }

  /** A new run on a message; without contents, on what was said to the session since its last run. */
  begin(
    run: SessionRunRequest<Options> & {
      /** Absent: the message of {@link insteadOf}. */
      readonly input: readonly Content[] | undefined;
      /** The message whose place it takes: that one, and what followed, is taken back first. */
      readonly insteadOf: InsteadOf | undefined;
      readonly runId: string;
      readonly metadata: JsonObject | undefined;
      readonly unfinished: Unfinished;
      readonly keepInterrupted: boolean;
    },
  ): RunningLoop {
    let target: string | undefined;
    return this.#loop(run, run.runId, async (take) => {
      if (this.log.view.runIds.has(run.runId)) throw new RunIdTakenError(this.log.id, run.runId);
      this.#checkLimits();
      const { insteadOf } = run;
      const start = insteadOf && findStart(this.log.view.starts, this.log.id, target ?? insteadOf.messageId);
      // Decided on once more because others were faster, it is the same message.
      target ??= start && answerId(start.entry.runId);
      // What is taken back is not left open either.
      const closing = await this.#closer.closeLast(start === undefined ? run.unfinished : "close", run.options);
      const rewind: NewEntry[] = start === undefined ? [] : [{ type: "rewind", before: start.entry.runId }];
      const entry: NewEntry = {
        type: "run",
        runId: run.runId,
        loop: LOOP_VERSION,
        model: this.#host.model.id,
        origin: this.#host.origin,
        input: run.input ?? start?.entry.input ?? [],
        ...(run.metadata !== undefined && { metadata: run.metadata }),
        ...(this.#host.checksInput(run.options) && { guarded: true }),
        ...(!run.keepInterrupted && { dropInterrupted: true }),
      };
      return { lease: await take(run.runId, ...closing, ...rewind, ...this.#aboutEntries(), entry), mode: "begin" };
    });
  }

  /** The last run once more, from where it stopped. */
  resume(
    run: SessionRunRequest<Options> & {
      readonly answers: ExternalAnswers;
      /** Said to the run together with the answers. */
      readonly steering?: { readonly id: string; readonly contents: readonly Content[] } | undefined;
      readonly anyLoopVersion: boolean;
    },
  ): RunningLoop {
    return this.#loop(run, this.log.view.run?.entry.runId ?? "", async (take) => {
      const record = this.log.view.run;
      if (record === undefined) throw new NothingToResumeError(this.log.id, "it has no run yet");
      const { runId, loop } = record.entry;
      if (record.end !== undefined && !isResumable(record.end)) {
        // Rejects any answer: nothing waits for one.
        buildAnswerEntries(this.log.id, record, run.answers);
        throw new NothingToResumeError(this.log.id, `its last run has ended (${record.end.stopReason})`);
      }
      checkAnswers(this.log.id, record);
      if (loop !== LOOP_VERSION && !run.anyLoopVersion) throw new LoopVersionError(runId, loop, LOOP_VERSION);
      const answers = buildAnswerEntries(this.log.id, record, run.answers);
      const about = { options: run.options, runId, sessionId: this.log.id };
      await checkEdits(record, run.answers, (call, args) => this.#host.findArgumentProblem(call, args, about));
      const said: NewEntry[] = run.steering === undefined ? [] : [{ type: "steer", ...run.steering }];
      return { lease: await take(runId, { type: "resume", runId }, ...answers, ...said), mode: "resume" };
    });
  }

  /**
   * Takes the conversation back to before a message.
   *
   * @param options - Of the last run, in case that it was cut off.
   * @returns The message.
   */
  async rewind(
    messageId: string | undefined,
    options: Options,
    signal: AbortSignal | undefined,
  ): Promise<readonly Content[]> {
    const { id, view } = this.log;
    if (this.#current !== undefined) throw new SessionRunningError(id, this.#current.runId);
    let target = messageId;
    let message: readonly Content[] = [];
    await this.#leases.appendAlone([signal], async () => {
      const { runId, input } = findStart(view.starts, id, target).entry;
      // Decided on once more because others were faster, it is the same message.
      target = answerId(runId);
      message = input;
      const closing = await this.#closer.closeLast("close", options);
      return { runId, entries: [...closing, { type: "rewind", before: runId }] };
    });
    return message;
  }

  /** Whether a run is going, and the log as of then. `free` also when its process has died. */
  async look(): Promise<LeaseFinding> {
    return await this.#leases.look();
  }

  /**
   * Waits until no run is going.
   *
   * @param until - `known`: only until it is known whether one is.
   * @returns The id of the run that is going; `undefined` when none is.
   */
  async settle(until: "known" | "over", signal: AbortSignal | undefined): Promise<string | undefined> {
    return await lookUntil(this.log.store, this.log.id, [signal], async () => {
      const current = this.#current;
      await (until === "known" ? current?.taken : current?.over);
      if (until === "known" && current !== undefined && this.#current === current) return { found: current.runId };
      const found = await this.look();
      if (found.state === "free") return { found: undefined };
      return until === "known" && found.lives ? { found: found.lease.runId } : { againInMs: found.leftMs };
    });
  }

  /** Asks the run that is going to stop, in whatever process it is, and waits until it is over. @returns False when none is going. */
  async stop(signal: AbortSignal | undefined): Promise<boolean> {
    if (!(await this.#leases.stop(signal))) return false;
    await this.#current?.over;
    return true;
  }

  /** Cancels a call of the run that is going, if this object makes it. */
  cancelCall(callId: string): boolean {
    return this.#current?.opened?.cancelCall(callId) ?? false;
  }

  #aboutEntries(): readonly NewEntry[] {
    const { about } = this.#keeping;
    if (about === undefined) return [];
    const { title, info } = this.log.view.info;
    const isKnown =
      (about.title === undefined || about.title === title) &&
      (about.owner === undefined || about.owner === info?.owner) &&
      (about.metadata === undefined || firstDifference(about.metadata, info?.metadata ?? {}) === undefined);
    return isKnown ? [] : [{ type: "info", ...about }];
  }

  /** Nothing is stored of a message that no request could answer. */
  #checkLimits(): void {
    const { limits } = this.#keeping;
    const reached = limits === undefined ? undefined : limitReached(limits, this.log.view.spent());
    if (reached !== undefined) throw new SessionLimitError(this.log.id, reached.name, reached.limit, reached.used);
  }

  /** A run that is prepared and made, and whose end is recorded, whatever it is. */
  #loop(run: SessionRunRequest<Options>, runId: string, prepare: (take: TakeLease) => Promise<TakenRun>): RunningLoop {
    let opened: OpenedRun | undefined;
    const left = new AbortController();
    const make = async (): Promise<RunResult<unknown>> => {
      if (this.#current !== undefined) throw new SessionRunningError(this.log.id, this.#current.runId);
      let take = (): void => {};
      let over = (): void => {};
      const current: CurrentRun = {
        runId,
        taken: new Promise<void>((resolve) => (take = resolve)),
        over: new Promise<void>((resolve) => (over = resolve)),
      };
      this.#current = current;
      let lease: HeldLease | undefined;
      let draft: DraftWriter | undefined;
      let lost = false;
      let ended = false;
      // A reason to end the run may come before it is opened.
      let reason: unknown;
      const abort = (why: unknown): void => {
        reason ??= why;
        opened?.abort(why);
      };
      const traceparent = (): string | undefined => current.opened?.traceparent();
      const logger = this.#loggerOf(current);
      try {
        const taken = await this.#leases.take([run.signal, left.signal], prepare, () => ({
          logger,
          traceparent,
          stop: () => abort(new RunStoppedError(`the run of session "${this.log.id}" was stopped on request`)),
          lost: (error) => {
            lost = true;
            abort(error);
          },
        }));
        lease = taken.lease;
        const record = lastRun(this.log);
        current.runId = record.entry.runId;
        take();
        draft = new DraftWriter(
          this.log.store,
          this.log.id,
          { token: taken.lease.token, runId: current.runId },
          logger,
          traceparent,
        );
        opened = current.opened = this.#opener.open(record, run, {
          mode: taken.mode,
          log: this.log.journalLog(current.runId, taken.lease.token),
          left: taken.left,
          onPartial: draft.changed,
          beforeEnd: async (result) => {
            const next = await this.#closer.end(opened, taken.lease, result);
            ended = next === "ended";
            return next;
          },
        });
        if (taken.mode === "resume") await this.#dropDraft(taken.lease);
        this.log.running = true;
        if (reason !== undefined) opened.abort(reason);
        if (left.signal.aborted) opened.release();
        return await opened.run();
      } catch (error) {
        if (opened === undefined) throw error;
        attachRunSoFar(error, opened.soFar());
        const how = left.signal.aborted
          ? { stopReason: "aborted" as const, error: LEFT }
          : buildFailure(error, opened.aborted());
        if (!ended && !lost && lease !== undefined) await this.#closer.tryEnd(opened, lease, how, logger);
        throw error;
      } finally {
        draft?.release();
        opened?.release();
        await lease?.abandon();
        this.log.running = false;
        this.#current = undefined;
        take();
        over();
      }
    };
    return {
      run: make,
      soFar: () => opened?.soFar() ?? NOTHING_YET,
      cancelCall: (callId) => opened?.cancelCall(callId) ?? false,
      release: () => {
        left.abort(new DOMException("the reader left before the run began", "AbortError"));
        opened?.release();
      },
    };
  }

  /** What the run had said in a step that is about to be asked again is void. */
  async #dropDraft({ token }: HeldLease): Promise<void> {
    const { draft } = await this.log.store.records(this.log.id);
    if (draft !== undefined) await this.log.store.setDraft(this.log.id, token, undefined);
  }

  /** Its lines have the identity of the run that is going and, in a trace, the ids of its span. */
  #loggerOf(current: CurrentRun): Logger {
    const { logger, agent } = this.#host;
    return bindLogger(logger, () => {
      const metadata = this.log.view.run?.entry.metadata;
      return {
        runId: current.runId,
        agent,
        sessionId: this.log.id,
        ...(metadata !== undefined && { metadata }),
        ...parseTraceparent(current.opened?.traceparent()),
      };
    });
  }
}

/** A message of the conversation; without an id, the last one that began a run. */
export interface InsteadOf {
  readonly messageId: string | undefined;
}

/** What an application says about a session, for its lists. */
export interface SessionAbout {
  /** Shown in lists. @defaultValue the first words of the first message */
  readonly title?: string | undefined;
  /** Whose session it is: lists and `deleteSessions` can go by it. */
  readonly owner?: string | undefined;
  /** Anything else that lists go by. */
  readonly metadata?: { readonly [name: string]: string } | undefined;
}

/** The run of a session object that is going. */
interface CurrentRun {
  runId: string;
  /** Absent until it is known that it may begin. */
  opened?: OpenedRun;
  /** Resolves when its beginning is in the log, or when it is over without. */
  readonly taken: Promise<void>;
  readonly over: Promise<void>;
}
