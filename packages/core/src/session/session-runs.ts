import { journal, type JournalLog } from "../durable/journal.ts";
import { LOOP_VERSION } from "../durable/run-log.ts";
import { describeError } from "../durable/steps.ts";
import {
  LoopVersionError,
  SessionConflictError,
  SessionDamagedError,
  SessionUnfinishedError,
} from "../errors/run-errors.ts";
import {
  NothingToResumeError,
  RunIdTakenError,
  RunStoppedError,
  SessionLeaseLostError,
  SessionLimitError,
  SessionRunningError,
} from "../errors/session-errors.ts";
import { firstDifference } from "../internal/json.ts";
import { bindLogger, type Logger } from "../logging/logger.ts";
import type { RunEvent } from "../loop/events.ts";
import type { PartialAnswer } from "../loop/partial-answer.ts";
import { limitReached } from "../loop/limits.ts";
import type { BeforeEnd } from "../loop/loop-input.ts";
import { attachRunSoFar, NOTHING_YET, type RunResult } from "../loop/result.ts";
import type { RunEmitters, RunningLoop } from "../loop/run-stream.ts";
import { prepareHistory } from "../model/history/import-history.ts";
import type { Content, JsonObject } from "../wire/types/content.ts";
import { boundParts, DraftWriter } from "./draft-writer.ts";
import { isResumable } from "./entries.ts";
import { findMissingAnswer } from "./find-damage.ts";
import {
  abandonLease,
  HeldLease,
  LEASE_MS,
  type LeaseFinding,
  type LeaseListener,
  LeaseObserver,
  lookUntil,
  nextLease,
} from "./lease.ts";
import type { Lease } from "./records.ts";
import {
  buildEndEntry,
  buildEnding,
  buildFailure,
  endOfRecord,
  hasLaterTurn,
  interruptedAnswer,
  isOpenDraft,
  LEFT,
  type RunEnding,
} from "./run-ending.ts";
import { buildAnswerEntries, checkEdits, type ExternalAnswers } from "./session-answers.ts";
import type { OpenedRun, SessionHost, SessionLimits, SessionRunMode } from "./session-host.ts";
import type { AppendAs, NewEntry, SessionLog } from "./session-log.ts";
import { placeCutInSent, type RunRecord } from "./session-view.ts";

/** What a message does with a last run that was cut off or waits for an answer: it closes the run, or is refused. */
export type Unfinished = "close" | "refuse";

/** One run of a session, about to be read. */
export interface SessionRunRequest<Options> {
  readonly options: Options;
  readonly emitters: RunEmitters | undefined;
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

/** How often a run is begun or resumed anew because others wrote to the session in between. */
const MAX_RACES = 20;

/** The runs of one session: begins them, resumes them, and records how they end. One at a time, in whatever processes. */
export class SessionRuns<Options> {
  readonly log: SessionLog;
  readonly #host: SessionHost<Options>;
  readonly #keeping: SessionKeeping;
  readonly #observer: LeaseObserver;
  readonly #conversation = {};
  /** The run of this object that is going. */
  #current: CurrentRun | undefined;

  constructor(log: SessionLog, host: SessionHost<Options>, keeping: SessionKeeping) {
    this.log = log;
    this.#host = host;
    this.#keeping = keeping;
    this.#observer = new LeaseObserver(log.store.processes);
  }

  /** A new run on a message; without contents, on what was said to the session since its last run. */
  begin(
    run: SessionRunRequest<Options> & {
      readonly input: readonly Content[];
      readonly runId: string;
      readonly metadata: JsonObject | undefined;
      readonly unfinished: Unfinished;
      readonly keepInterrupted: boolean;
    },
  ): RunningLoop {
    return this.#loop(run, run.runId, async (take) => {
      if (this.log.view.runIds.has(run.runId)) throw new RunIdTakenError(this.log.id, run.runId);
      this.#checkLimits();
      const closing = await this.#closeLast(run.unfinished, run.options);
      const entry: NewEntry = {
        type: "run",
        runId: run.runId,
        loop: LOOP_VERSION,
        model: this.#host.model.id,
        origin: this.#host.origin,
        input: run.input,
        ...(run.metadata !== undefined && { metadata: run.metadata }),
        ...(this.#host.checksInput(run.options) && { guarded: true }),
        ...(!run.keepInterrupted && { dropInterrupted: true }),
      };
      return { lease: await take(run.runId, ...closing, ...this.#aboutEntries(), entry), mode: "begin" };
    });
  }

  /** The last run once more, from where it stopped. */
  resume(
    run: SessionRunRequest<Options> & {
      readonly answers: ExternalAnswers;
      /** Said to the run together with the answers. */
      readonly steering?: readonly Content[] | undefined;
      readonly anyLoopVersion: boolean;
    },
  ): RunningLoop {
    return this.#loop(run, this.log.view.run?.entry.runId ?? "", async (take) => {
      const record = this.log.view.run;
      if (record === undefined) throw new NothingToResumeError(this.log.id, "it has no run yet");
      const { runId, loop } = record.entry;
      if (record.end !== undefined && !isResumable(record.end))
        throw new NothingToResumeError(this.log.id, `its last run has ended (${record.end.stopReason})`);
      this.#checkAnswers(record);
      if (loop !== LOOP_VERSION && !run.anyLoopVersion) throw new LoopVersionError(runId, loop, LOOP_VERSION);
      const answers = buildAnswerEntries(this.log.id, record, run.answers);
      const about = { options: run.options, runId, sessionId: this.log.id };
      await checkEdits(record, run.answers, (call, args) => this.#host.findArgumentProblem(call, args, about));
      const said: NewEntry[] = run.steering === undefined ? [] : [{ type: "steer", contents: run.steering }];
      return { lease: await take(runId, { type: "resume", runId }, ...answers, ...said), mode: "resume" };
    });
  }

  /** Opens the loop over a run's record. */
  open(
    record: RunRecord,
    run: Pick<SessionRunRequest<Options>, "options" | "emitters">,
    how: OpenRecordOptions,
  ): OpenedRun {
    const { runId, input, metadata } = record.entry;
    const { mode = "read", log = this.log.journalLog(runId), missing, onPartial } = how;
    const { beforeEnd = async (result) => endOfRecord(record, result) } = how;
    const before = this.#contentsBefore();
    const replaying = new ReplayMark(mode !== "begin");
    return this.#host.open({
      options: run.options,
      sessionId: this.log.id,
      runId,
      metadata,
      mode,
      contents: [...before, ...input],
      historyLength: before.length,
      compaction: placeCutInSent(this.log.view, before),
      conversation: this.#conversation,
      emitters: run.emitters && {
        emit: (event) => run.emitters?.emit(replaying.mark(event)),
        emitLive: run.emitters.emitLive,
      },
      beforeEnd: async (result) => {
        const next = await beforeEnd(result);
        if (mode === "resume") replaying.end();
        return next;
      },
      interrupted: mode === "read" ? record.end?.interrupted : undefined,
      onPartial,
      steps: ({ signal, emit }) =>
        journal<RunEvent>({ runId, signal, emit, log, missing, onExecute: () => replaying.end() }),
      steering: { take: (after) => this.#steered(after) },
      steeringCursor: record.steeringCursor,
      limits: this.#keeping.limits,
      spentBefore: record.spentBefore,
    });
  }

  /** Whether a run is going, and the log as of then. `free` also when its process has died. */
  async look(): Promise<LeaseFinding> {
    const { id, store } = this.log;
    for (;;) {
      const { lease } = await store.records(id);
      await this.log.refresh();
      // A run that began or ended in between would make the two contradict each other.
      const now = (await store.records(id)).lease;
      if (now?.token === lease?.token && now?.held === lease?.held) return this.#observer.look(now);
    }
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
    const { id, store } = this.log;
    const { lease } = await store.records(id);
    if (lease === undefined || this.#observer.look(lease).state === "free") return false;
    await store.requestStop(id, lease.token);
    await lookUntil(store, id, [signal], async () => {
      const now = (await store.records(id)).lease;
      const found = this.#observer.look(now);
      const isOver = now?.token !== lease.token || found.state === "free";
      return isOver ? { found: true } : { againInMs: found.leftMs };
    });
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

  /** Nothing is stored of a message that no request could answer. */
  #checkLimits(): void {
    const { limits } = this.#keeping;
    const reached = limits === undefined ? undefined : limitReached(limits, this.log.view.spent());
    if (reached !== undefined) throw new SessionLimitError(this.log.id, reached.name, reached.limit, reached.used);
  }

  /** The entries that make way for the next message. */
  async #closeLast(unfinished: Unfinished, options: Options): Promise<readonly NewEntry[]> {
    const { run } = this.log.view;
    if (run === undefined) return [];
    const waits = run.end?.pending !== undefined;
    if (unfinished === "refuse" && (waits || run.end === undefined)) {
      const why = waits ? "its last run waits for an answer" : "its last run was cut off";
      throw new SessionUnfinishedError(this.log.id, run.entry.runId, why);
    }
    if (run.end !== undefined) return [];
    this.#checkAnswers(run);
    return [await this.#endOfCutOff(run, options)];
  }

  /** @throws {SessionDamagedError} For a run whose steps cannot be read to the last. */
  #checkAnswers(record: RunRecord): void {
    const missing = findMissingAnswer(record);
    if (missing !== undefined) throw new SessionDamagedError(this.log.id, missing);
  }

  /** Reads a run that was cut off as far as its log goes: how it ended. */
  async #endOfCutOff(record: RunRecord, options: Options): Promise<NewEntry> {
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
    const { draft } = await this.log.store.records(this.log.id);
    const interrupted = draft !== undefined && isOpenDraft(draft, record) ? interruptedAnswer(draft) : undefined;
    return buildEndEntry(record, opened, this.log.view.segments, { ...how, interrupted });
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
      try {
        const taken = await this.#take([run.signal, left.signal], prepare, () => ({
          logger: this.#logger,
          stop: () => abort(new RunStoppedError(`the run of session "${this.log.id}" was stopped on request`)),
          lost: (error) => {
            lost = true;
            abort(error);
          },
        }));
        lease = taken.lease;
        const record = this.#lastRun();
        current.runId = record.entry.runId;
        take();
        draft = new DraftWriter(
          this.log.store,
          this.log.id,
          { token: taken.lease.token, runId: current.runId },
          this.#logger,
        );
        opened = current.opened = this.open(record, run, {
          mode: taken.mode,
          log: this.log.journalLog(current.runId, taken.lease.token),
          onPartial: draft.changed,
          beforeEnd: async (result) => {
            const next = await this.#end(opened, taken.lease, result);
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
        if (!ended && !lost && lease !== undefined) await this.#tryAppendEnd(opened, lease, how);
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

  /** Waits until it is known that no run is going, and takes the lease with what `prepare` appends. */
  async #take(
    signals: readonly (AbortSignal | undefined)[],
    prepare: (take: TakeLease) => Promise<TakenRun>,
    listen: (token: number) => LeaseListener,
  ): Promise<TakenRun> {
    const { id, store } = this.log;
    for (let races = 0; ; races++) {
      const last = await this.#untilFree(signals);
      try {
        return await prepare(async (runId, ...entries) => {
          const lease = nextLease(last, runId, this.#keeping.leaseMs ?? LEASE_MS, store);
          try {
            await this.log.append({ lease: { expected: last, next: lease }, unless: "changed" }, ...entries);
          } catch (error) {
            // It may have been written all the same.
            await abandonLease(store, id, lease);
            throw error;
          }
          return new HeldLease(store, id, lease, listen(lease.token));
        });
      } catch (error) {
        const raced = error instanceof SessionConflictError || error instanceof SessionLeaseLostError;
        if (!raced || races >= MAX_RACES) throw error;
      }
    }
  }

  /** Reads the session once no run of others is going. @throws {SessionRunningError} When one is. */
  async #untilFree(signals: readonly (AbortSignal | undefined)[]): Promise<Lease | undefined> {
    const { id, store } = this.log;
    return await lookUntil(store, id, signals, async () => {
      // The lease first: whoever takes it after this makes our append fail.
      const { lease } = await store.records(id);
      const found = this.#observer.look(lease);
      if (found.state === "held") {
        if (found.lives) throw new SessionRunningError(id, found.lease.runId);
        return { againInMs: found.leftMs };
      }
      await this.log.refresh();
      return { found: lease };
    });
  }

  /** What the run had said in a step that is about to be asked again is void. */
  async #dropDraft({ token }: HeldLease): Promise<void> {
    const { draft } = await this.log.store.records(this.log.id);
    if (draft !== undefined) await this.log.store.setDraft(this.log.id, token, undefined);
  }

  /** Its lines have the metadata of the last run. */
  get #logger(): Logger {
    const metadata = this.log.view.run?.entry.metadata;
    return metadata === undefined ? this.#host.logger : bindLogger(this.#host.logger, { metadata });
  }

  #lastRun(): RunRecord {
    const { run } = this.log.view;
    if (run === undefined) throw new TypeError("the run could not be recorded");
    return run;
  }

  /** Records how a run ended and gives its lease back, unless it was steered after it last looked. */
  async #end(opened: OpenedRun | undefined, lease: HeldLease, result: RunResult<unknown>): ReturnType<BeforeEnd> {
    const { view } = this.log;
    const unheard = (): boolean => view.steersAfter(view.steeringCursor).length > 0;
    const mayContinue = result.stopReason === "finished";
    if (mayContinue && (hasLaterTurn(this.#lastRun(), result) || unheard())) return "more-was-said";
    try {
      await this.#appendEnd(opened, lease, buildEnding(result), mayContinue ? "steered" : undefined);
      return "ended";
    } catch (error) {
      if (mayContinue && error instanceof SessionConflictError && unheard()) return "more-was-said";
      throw error;
    }
  }

  async #appendEnd(
    opened: OpenedRun | undefined,
    lease: HeldLease,
    how: RunEnding,
    unless?: AppendAs["unless"],
  ): Promise<void> {
    if (opened === undefined) throw new TypeError("the run could not be recorded");
    const partial = opened.partial();
    const parts = partial.parts();
    const interrupted =
      parts.length === 0
        ? undefined
        : interruptedAnswer({ step: partial.step, attempt: partial.attempt, ...boundParts(parts) });
    const entry = buildEndEntry(this.#lastRun(), opened, this.log.view.segments, { ...how, interrupted });
    await lease.giveBack((change) => this.log.append({ token: lease.token, lease: change, unless }, entry));
  }

  /** The run's own error matters more than that its end could not be written: a run without end is one that was cut off. */
  async #tryAppendEnd(opened: OpenedRun, lease: HeldLease, how: RunEnding): Promise<void> {
    try {
      await this.#appendEnd(opened, lease, how);
    } catch (error) {
      const { id, view } = this.log;
      this.#logger.warn(
        { err: error, session: id, runId: view.run?.entry.runId },
        "the run's end could not be written",
      );
    }
  }
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

/** Marks the events of a run that repeat what its log holds: those before the first step that is executed here. */
class ReplayMark {
  #isReplayed: boolean;

  constructor(isReplayed: boolean) {
    this.#isReplayed = isReplayed;
  }

  mark(event: RunEvent): RunEvent {
    return this.#isReplayed ? { ...event, replayed: true } : event;
  }

  end(): void {
    this.#isReplayed = false;
  }
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

/** What is prepared before a run is opened: how it takes the lease. */
type TakeLease = (runId: string, ...entries: readonly NewEntry[]) => Promise<HeldLease>;

interface TakenRun {
  readonly lease: HeldLease;
  readonly mode: "begin" | "resume";
}

/** How a record is opened. */
export interface OpenRecordOptions {
  /** @defaultValue "read" */
  readonly mode?: SessionRunMode | undefined;
  /** What the run's steps left, and where it is written. @defaultValue the session's log */
  readonly log?: JournalLog | undefined;
  /** @defaultValue for a record that is only read: more was said when the log has another turn */
  readonly beforeEnd?: BeforeEnd | undefined;
  /** Called instead of an operation that has no outcome yet. */
  readonly missing?: ((op: { readonly name: string }) => never) | undefined;
  /** Called whenever more of an answer is known. */
  readonly onPartial?: ((partial: PartialAnswer) => void) | undefined;
}
