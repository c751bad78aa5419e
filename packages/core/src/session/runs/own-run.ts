import { RunReleasedError, RunStoppedError, SessionRunningError } from "../../errors/session-errors.ts";
import { parseTraceparent } from "../../internal/traceparent.ts";
import { bindLogger, type Logger } from "../../logging/logger.ts";
import { attachRunSoFar, NOTHING_YET, type RunResult } from "../../loop/result.ts";
import type { RunningLoop } from "../../loop/run-stream.ts";
import { DraftWriter } from "../lease/draft-writer.ts";
import type { HeldLease } from "../lease/lease.ts";
import type { LeaseTaker, TakeLease, TakenRun } from "../lease/lease-taker.ts";
import type { SessionLog } from "../log/session-log.ts";
import type { OpenedRecord, RecordOpener, RunReading } from "./record-opener.ts";
import { lastRun, type RunCloser } from "./run-closer.ts";
import { buildFailure, LEFT } from "./run-ending.ts";
import type { SessionHost } from "./session-host.ts";

/** One run of a session, about to be read. */
export interface SessionRunRequest<Options> extends RunReading<Options> {
  /** Ends waiting for others. */
  readonly signal: AbortSignal | undefined;
}

/** The run that a session object makes itself: at most one at a time. */
export class OwnRun<Options> {
  /** The one that is going. */
  current: CurrentRun | undefined;
  readonly #released: AbortController = new AbortController();
  readonly #log: SessionLog;
  readonly #host: SessionHost<Options>;
  readonly #opener: RecordOpener<Options>;
  readonly #leases: LeaseTaker;
  readonly #closer: RunCloser<Options>;

  constructor(
    log: SessionLog,
    host: SessionHost<Options>,
    parts: {
      readonly opener: RecordOpener<Options>;
      readonly leases: LeaseTaker;
      readonly closer: RunCloser<Options>;
    },
  ) {
    this.#log = log;
    this.#host = host;
    this.#opener = parts.opener;
    this.#leases = parts.leases;
    this.#closer = parts.closer;
  }

  /** Ends what waits to begin a run, and refuses it from then on: the session was released. */
  get released(): AbortSignal {
    return this.#released.signal;
  }

  /**
   * Leaves the run to other processes, without an end, once its `once` calls that have begun are over.
   *
   * @param signal - Cuts those calls.
   * @returns False when this object makes no run.
   */
  async release(signal: AbortSignal | undefined): Promise<boolean> {
    this.#released.abort(new RunReleasedError(this.#log.id));
    const { current } = this;
    if (current === undefined) return false;
    current.abort(this.released.reason);
    const cut = (): void => current.cut(this.released.reason);
    signal?.addEventListener("abort", cut, { once: true });
    if (signal?.aborted === true) cut();
    await current.over;
    signal?.removeEventListener("abort", cut);
    return true;
  }

  /** A run that is prepared and made, and whose end is recorded, whatever it is. */
  loop(run: SessionRunRequest<Options>, runId: string, prepare: (take: TakeLease) => Promise<TakenRun>): RunningLoop {
    let opened: OpenedRecord | undefined;
    const left = new AbortController();
    const make = async (): Promise<RunResult<unknown>> => {
      this.released.throwIfAborted();
      if (this.current !== undefined) throw new SessionRunningError(this.#log.id, this.current.runId);
      let take = (): void => {};
      let over = (): void => {};
      // A reason to end the run may come before it is opened.
      let reason: unknown;
      const abort = (why: unknown): void => {
        const { reason: released } = this.released;
        // What ends a run says more than that it was released.
        if (why === released && opened?.aborted() === true) return;
        if (reason === undefined || reason === released) reason = why;
        opened?.abort(why);
      };
      const cut = new AbortController();
      const end = (why: unknown): void => {
        abort(why);
        cut.abort(why);
      };
      const current: CurrentRun = {
        runId,
        abort,
        cut: (why) => cut.abort(why),
        taken: new Promise<void>((resolve) => (take = resolve)),
        over: new Promise<void>((resolve) => (over = resolve)),
      };
      this.current = current;
      let lease: HeldLease | undefined;
      let draft: DraftWriter | undefined;
      let lost = false;
      let ended = false;
      const traceparent = (): string | undefined => current.opened?.traceparent();
      const logger = this.#loggerOf(current);
      try {
        const taken = await this.#leases.take([run.signal, left.signal, this.released], prepare, () => ({
          logger,
          traceparent,
          stop: () => end(new RunStoppedError(`the run of session "${this.#log.id}" was stopped on request`)),
          lost: (error) => {
            lost = true;
            end(error);
          },
        }));
        lease = taken.lease;
        const record = lastRun(this.#log);
        current.runId = record.entry.runId;
        take();
        draft = new DraftWriter(
          this.#log.store,
          this.#log.id,
          { token: taken.lease.token, runId: current.runId },
          logger,
          traceparent,
        );
        opened = current.opened = this.#opener.open(record, run, {
          mode: taken.mode,
          token: taken.lease.token,
          left: taken.left,
          onPartial: draft.changed,
          cut: cut.signal,
          beforeEnd: async (result) => {
            const next = await this.#closer.end(opened, taken.lease, result);
            ended = next === "ended";
            return next;
          },
        });
        if (taken.mode === "resume") await this.#dropDraft(taken.lease);
        this.#log.running = true;
        if (reason !== undefined) opened.abort(reason);
        if (left.signal.aborted) opened.release();
        return await opened.run();
      } catch (error) {
        if (opened === undefined) throw error;
        attachRunSoFar(error, opened.soFar());
        const how = left.signal.aborted
          ? { stopReason: "aborted" as const, error: LEFT }
          : buildFailure(error, opened.aborted());
        const isReleased = reason !== undefined && reason === this.released.reason;
        if (!ended && !lost && !isReleased && lease !== undefined)
          await this.#closer.tryEnd(opened, lease, how, logger);
        throw error;
      } finally {
        draft?.release();
        opened?.release();
        await lease?.abandon();
        this.#log.running = false;
        this.current = undefined;
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

  /** The draft of a step that is about to be asked again is void. */
  async #dropDraft({ token }: HeldLease): Promise<void> {
    const { draft } = await this.#log.store.records(this.#log.id);
    if (draft !== undefined) await this.#log.store.setDraft(this.#log.id, token, undefined);
  }

  /** Its lines have the identity of the run that is going and, in a trace, the ids of its span. */
  #loggerOf(current: CurrentRun): Logger {
    const { logger, agent } = this.#host;
    return bindLogger(logger, () => {
      const metadata = this.#log.view.run?.entry.metadata;
      return {
        runId: current.runId,
        agent,
        sessionId: this.#log.id,
        ...(metadata !== undefined && { metadata }),
        ...parseTraceparent(current.opened?.traceparent()),
      };
    });
  }
}

/** The run of a session object that is going. */
interface CurrentRun {
  runId: string;
  /** Ends what is under way, whether it is opened or not. */
  readonly abort: (reason: unknown) => void;
  /** Ends its `once` calls that have begun, too. */
  readonly cut: (reason: unknown) => void;
  /** Absent until it is known that it may begin. */
  opened?: OpenedRecord;
  /** Resolves when its beginning is in the log, or when it is over without. */
  readonly taken: Promise<void>;
  readonly over: Promise<void>;
}
