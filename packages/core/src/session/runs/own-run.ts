import { RunReleasedError, RunStoppedError, SessionRunningError } from "../../errors/session-errors.ts";
import { whenAborted } from "../../internal/abort.ts";
import { parseTraceparent } from "../../internal/traceparent.ts";
import { bindLogger, type Logger } from "../../logging/logger.ts";
import { attachRunSoFar, type RunResult } from "../../loop/result.ts";
import type { SessionLog } from "../log/session-log.ts";
import { DraftWriter } from "../lease/draft-writer.ts";
import type { HeldLease } from "../lease/lease.ts";
import type { LeaseTaker, TakeLease, TakenRun } from "../lease/lease-taker.ts";
import type { RecordOpener } from "./record-opener.ts";
import { buildFailure, lastRun, LEFT, type RunCloser } from "./run-closer.ts";
import type { ReadRequest, RunReader } from "./run-request.ts";
import type { SessionHost } from "./session-host.ts";

interface Parts<Options> {
  readonly log: SessionLog;
  readonly host: SessionHost<Options>;
  readonly leases: LeaseTaker;
  readonly opener: RecordOpener<Options>;
  readonly closer: RunCloser<Options>;
}

/** The run that a session object makes itself: at most one at a time. */
export class OwnRun<Options> {
  current: CurrentRun | undefined;
  readonly #released: AbortController = new AbortController();
  readonly #runs: Parts<Options>;

  constructor(runs: Parts<Options>) {
    this.#runs = runs;
  }

  /** Ends what waits to begin a run, and refuses it from then on: the session was released. */
  get released(): AbortSignal {
    return this.#released.signal;
  }

  /** Leaves the run, if any, to other processes once its `once` calls are over, which the signal cuts. @returns False without a run. */
  async release(signal: AbortSignal | undefined): Promise<boolean> {
    this.#released.abort(new RunReleasedError(this.#runs.log.id));
    const { current } = this;
    if (current === undefined) return false;
    current.abort(this.released.reason);
    const stopListening = whenAborted(signal, () => current.cut.abort(this.released.reason));
    await current.over;
    stopListening();
    return true;
  }

  cancelCall(callId: string): boolean {
    return this.current?.reader.opened?.cancelCall(callId) ?? false;
  }

  /** Prepares a run, makes it, and records its end, whatever it is. */
  async make(
    run: ReadRequest<Options>,
    runId: string,
    prepare: (take: TakeLease) => Promise<TakenRun>,
  ): Promise<RunResult<unknown>> {
    const { reader } = run;
    const { log, leases, opener, closer } = this.#runs;
    this.released.throwIfAborted();
    if (this.current !== undefined) throw new SessionRunningError(log.id, this.current.runId);
    reader.opened = undefined;
    let take = (): void => {};
    let over = (): void => {};
    // A reason to end the run may come before it is opened.
    let reason: unknown;
    const current: CurrentRun = {
      runId,
      reader,
      abort: (why) => {
        const { reason: released } = this.released;
        // What ends a run says more than that it was released.
        if (why === released && reader.opened?.aborted() === true) return;
        if (reason === undefined || reason === released) reason = why;
        reader.opened?.abort(why);
      },
      cut: new AbortController(),
      taken: new Promise<void>((resolve) => (take = resolve)),
      over: new Promise<void>((resolve) => (over = resolve)),
    };
    this.current = current;
    const end = (why: unknown): void => {
      current.abort(why);
      current.cut.abort(why);
    };
    let lease: HeldLease | undefined;
    let draft: DraftWriter | undefined;
    /** Its end is in the log, or not for this process to write. */
    let ended = false;
    const logger = this.#loggerOf(current);
    try {
      const taken = await leases.take([run.signal], prepare, {
        logger,
        traceparent: () => reader.opened?.traceparent(),
        stop: () => end(new RunStoppedError(`the run of session "${log.id}" was stopped on request`)),
        lost: (error) => {
          ended = true;
          end(error);
        },
      });
      lease = taken.lease;
      const record = lastRun(log);
      current.runId = record.entry.runId;
      take();
      draft = new DraftWriter(lease, logger);
      const opened = opener.open(record, run, {
        mode: taken.mode,
        token: lease.token,
        left: taken.left,
        onPartial: draft.changed,
        cut: current.cut.signal,
        beforeEnd: async (result) => {
          const next = await closer.end(reader.opened, taken.lease, result);
          ended ||= next === "ended";
          return next;
        },
      });
      reader.opened = opened;
      // That of a step that is about to be asked again is void.
      if (taken.mode === "resume") await lease.setDraft(undefined);
      log.running = true;
      if (reason !== undefined) opened.abort(reason);
      if (reader.left.aborted) opened.release();
      return await opened.run();
    } catch (error) {
      const { opened } = reader;
      if (opened === undefined) throw error;
      attachRunSoFar(error, opened.soFar());
      const how = reader.left.aborted
        ? { stopReason: "aborted" as const, error: LEFT }
        : buildFailure(error, opened.aborted());
      const isReleased = reason !== undefined && reason === this.released.reason;
      if (!ended && !isReleased && lease !== undefined) await closer.tryEnd(opened, lease, how, logger);
      throw error;
    } finally {
      draft?.release();
      reader.opened?.release();
      await lease?.abandon();
      log.running = false;
      this.current = undefined;
      take();
      over();
    }
  }

  /** Its lines have the identity of the run that is going and, in a trace, the ids of its span. */
  #loggerOf(current: CurrentRun): Logger {
    const { log, host } = this.#runs;
    const { logger, agent } = host;
    return bindLogger(logger, () => {
      const metadata = log.view.run?.entry.metadata;
      return {
        runId: current.runId,
        agent,
        sessionId: log.id,
        ...(metadata !== undefined && { metadata }),
        ...parseTraceparent(current.reader.opened?.traceparent()),
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
  readonly cut: AbortController;
  readonly reader: RunReader;
  /** Resolves when its beginning is in the log, or when it is over without. */
  readonly taken: Promise<void>;
  readonly over: Promise<void>;
}
