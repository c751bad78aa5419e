import { waitName } from "../../durable/run-log.ts";
import { describeError } from "../../durable/steps.ts";
import { RunReleasedError, RunStoppedError, SessionRunningError } from "../../errors/session-errors.ts";
import { whenAborted } from "../../internal/abort.ts";
import { present } from "../../internal/json.ts";
import { parseTraceparent } from "../../internal/traceparent.ts";
import { bindLogger } from "../../logging/logger.ts";
import type { BeforeEnd } from "../../loop/loop-input.ts";
import { attachRunSoFar, type RunResult } from "../../loop/result.ts";
import { boundParts, type HeldLease, writeDrafts } from "../lease/lease.ts";
import { LeaseTaker, type PreparedRun } from "../lease/lease-taker.ts";
import { isResumable } from "../log/entries.ts";
import type { RunRecord } from "../log/run-record.ts";
import { hasLaterTurn, checkAnswers, findLeader, sumUpRun } from "../log/run-turns.ts";
import type { NewEntry, SessionLog } from "../log/session-log.ts";
import type { SessionView } from "../log/session-view.ts";
import { RecordOpener } from "./record-opener.ts";
import type {
  DecidedRequest,
  RunReader,
  OpenedRecord,
  SessionConfig,
  SessionHost,
  Unfinished,
} from "./session-host.ts";
import { SessionUnfinishedError } from "../../errors/run-errors.ts";
import { PartialResponse } from "../../loop/turn/partial-answer.ts";
import type { Part } from "../../wire/types/content.ts";
import { CUT_OFF, deriveOpen } from "../log/derive-open.ts";
import type { EndEntry, InterruptedAnswer } from "../log/entries.ts";
import { openQuestions } from "./session-answers.ts";
import { SessionJobs } from "./session-jobs.ts";

/** The run that a session object makes: at most one at a time. */
export class OwnRun<Options> {
  readonly log: SessionLog;
  readonly host: SessionHost<Options>;
  readonly config: SessionConfig;
  readonly leases: LeaseTaker;
  readonly opener: RecordOpener<Options>;
  readonly jobs: SessionJobs<Options>;
  /** The next run is this agent's, no matter which agent leads. */
  takesOver = false;
  current: CurrentRun | undefined;
  readonly #released: AbortController = new AbortController();
  /** Tokens of the questions whose answers have made runs continue, which each does once. */
  readonly #continuedFor: Set<string> = new Set();

  constructor(log: SessionLog, host: SessionHost<Options>, config: SessionConfig) {
    this.log = log;
    this.host = host;
    this.config = config;
    this.leases = new LeaseTaker(log, config.leaseMs);
    this.opener = new RecordOpener(log, host, config);
    this.jobs = new SessionJobs(log, host);
  }

  /** Aborts when the session is released: ends waits to begin a run, and refuses new runs. */
  get released(): AbortSignal {
    return this.#released.signal;
  }

  /** Leaves the run, if any, to other processes after its `once` calls, which the signal cuts short. @returns False without a run. */
  async release(signal: AbortSignal | undefined): Promise<boolean> {
    this.#released.abort(new RunReleasedError(this.log.id));
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

  /** Prepares a run, executes it, and records how it ends. */
  async make(
    run: DecidedRequest<Options>,
    runId: string,
    prepare: () => Promise<PreparedRun>,
  ): Promise<RunResult<unknown>> {
    const { reader } = run;
    const { log, host, leases, opener } = this;
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
        // Any other reason to end the run says more than its release.
        if (why === released && reader.opened?.aborted() === true) return;
        if (reason === undefined || reason === released) reason = why;
        reader.opened?.abort(why);
      },
      cut: new AbortController(),
      taken: new Promise<void>((resolve) => (take = resolve)),
      over: new Promise<void>((resolve) => (over = resolve)),
    };
    this.current = current;
    const end = (why: unknown): void => [current, current.cut].forEach((one) => one.abort(why));
    let lease: HeldLease | undefined;
    let draft: ReturnType<typeof writeDrafts> | undefined;
    /** Cancels the jobs of the run before it. */
    let leaving: Promise<void> | undefined;
    /** Its end is in the log, or another process must write it. */
    let ended = false;
    // Its lines have the identity of the current run and, in a trace, the ids of its span.
    const logger = bindLogger(host.logger, () => {
      const { metadata } = log.view.run?.entry ?? {};
      const trace = parseTraceparent(reader.opened?.traceparent());
      return present({ runId: current.runId, agent: host.agent, sessionId: log.id, metadata, ...trace });
    });
    try {
      const taken = await leases.take(run.signal, prepare, {
        logger,
        traceparent: () => reader.opened?.traceparent(),
        stop: () => end(stoppedError(log.id)),
        lost: (error) => {
          ended = true;
          end(error);
        },
      });
      lease = taken.lease;
      leaving = taken.closes && this.jobs.cancel(taken.closes, run.options, "another message came");
      if (taken.mode === "begin") this.takesOver = false;
      const record = lastRun(log);
      current.runId = record.entry.runId;
      take();
      draft = writeDrafts(lease, logger);
      const opened: OpenedRecord = opener.open(record, run, {
        mode: taken.mode,
        token: lease.token,
        left: taken.left,
        onPartial: draft.changed,
        cut: current.cut.signal,
        beforeEnd: async (result) => {
          const next = await this.#end(opened, taken.lease, result);
          ended ||= next === "ended";
          return next;
        },
      });
      reader.opened = opened;
      // The draft of a request that is about to be sent again is void.
      if (taken.mode === "resume") await lease.setDraft(undefined);
      log.running = true;
      if (reason !== undefined) opened.abort(reason);
      if (reader.left.aborted) opened.release();
      const result = await opened.run();
      if (!isResumable(result)) await this.jobs.cancel(lastRun(log), run.options, "the run is over");
      return result;
    } catch (error) {
      const { opened } = reader;
      if (opened === undefined) throw error;
      attachRunSoFar(error, opened.soFar());
      const isReleased = reason !== undefined && reason === this.released.reason;
      if (ended || isReleased || lease === undefined) throw error;
      const how: RunEnding = reader.left.aborted
        ? { stopReason: "aborted", error: LEFT }
        : { stopReason: opened.aborted() ? "aborted" : "failed", error: describeError(error) };
      // The run's own error matters more than a failure to write its end: a run without an end counts as cut off.
      await this.#appendEnd(opened, lease, how).catch((failed: unknown) => {
        logger.warn({ err: failed }, "the run's end could not be written");
      });
      if (how.stopReason === "aborted") await this.jobs.cancel(lastRun(log), run.options, "the run was stopped");
      throw error;
    } finally {
      await leaving;
      draft?.release();
      reader.opened?.release();
      await lease?.abandon();
      log.running = false;
      this.current = undefined;
      take();
      over();
    }
  }

  /** Records how a run ended and gives its lease back, unless it was steered or answered after its last look. */
  async #end(opened: OpenedRecord, lease: HeldLease, result: RunResult<unknown>): ReturnType<BeforeEnd> {
    if (result.stopReason === "finished" && hasLaterTurn(lastRun(this.log), result)) return "steered";
    try {
      await this.#appendEnd(opened, lease, buildEnding(result), (view) => this.#isOvertaken(view, result));
      return "ended";
    } catch (error) {
      if (error instanceof Overtaken) return "steered";
      throw error;
    }
  }

  /** True when a run that would finish was steered, or one that would wait was answered. */
  #isOvertaken(view: SessionView, result: RunResult<unknown>): boolean {
    if (result.stopReason === "finished") return view.steering.unread.length > 0;
    if (!("pending" in result)) return false;
    const news = result.pending.filter(
      ({ token, question, callId, job }) =>
        !this.#continuedFor.has(token) &&
        (view.answered.has(token) ||
          (question === "job" && view.run?.outcomes.has(waitName(callId, question, job?.number)) === true)),
    );
    for (const { token } of news) this.#continuedFor.add(token);
    return news.length > 0;
  }

  /** @param overtaken - Whether a message or an answer has come with which the run continues instead. */
  async #appendEnd(
    opened: OpenedRecord,
    lease: HeldLease,
    how: RunEnding,
    overtaken: (view: SessionView) => boolean = () => false,
  ): Promise<void> {
    const { closed, open } = opened.unwritten();
    const { wallTimeMs: _time, cost, ...spent } = opened.state.spent();
    const { lost, partial } = opened.state;
    const entry: NewEntry = {
      type: "end",
      runId: lastRun(this.log).entry.runId,
      open,
      ...spent,
      ...(cost > 0 && { cost }),
      lost,
      ...how,
      interrupted: interruptedAnswer(partial, partial.kept()),
    };
    await lease.giveBack((change) =>
      this.log.append({ token: lease.token, lease: change }, (view) => {
        if (overtaken(view)) throw new Overtaken();
        return [...closed, entry];
      }),
    );
  }
}

interface CurrentRun {
  runId: string;
  /** Ends the run, whether it is opened or not. */
  readonly abort: (reason: unknown) => void;
  /** Also ends its `once` calls that have begun. */
  readonly cut: AbortController;
  readonly reader: RunReader;
  /** Resolves when its beginning is in the log, or when it is over without one. */
  readonly taken: Promise<void>;
  readonly over: Promise<void>;
}

class Overtaken extends Error {}

function buildEnding(result: RunResult<unknown>): RunEnding {
  const { stopReason } = result;
  if (stopReason === "limit") return { stopReason, reached: result.limit };
  if (stopReason === "invalid-output") return { stopReason, problem: result.problem };
  if (stopReason === "guardrail") return { stopReason, guardrail: result.guardrail };
  return "pending" in result ? { stopReason, pending: result.pending } : { stopReason };
}

/** The reader of the run left before its end. */
const LEFT = { name: "RunAbandonedError", message: "the reader left before the run ended", code: "run_aborted" };

function lastRun(log: SessionLog): RunRecord {
  const { run } = log.view;
  if (run === undefined) throw new TypeError(`internal error: session "${log.id}" has no open run; please report`);
  return run;
}

/** The entries that close the last run for the next message, and the tokens of the questions that the message withdraws. */
export async function closeLast<Options>(
  log: SessionLog,
  host: SessionHost<Options>,
  unfinished: Unfinished,
  options: Options,
): Promise<{ readonly closing: readonly NewEntry[]; readonly withdrawn?: readonly string[] | undefined }> {
  const { run } = log.view;
  if (run === undefined) return { closing: [] };
  const waits = run.end?.pending !== undefined;
  if (unfinished === "refuse" && (waits || run.end === undefined)) {
    const why = waits ? "its last run waits for an answer" : "its last run was cut off";
    throw new SessionUnfinishedError(log.id, run.entry.runId, why);
  }
  const tokens = openQuestions(run).map(({ token }) => token);
  const withdrawn = tokens.length > 0 ? tokens : undefined;
  if (run.end !== undefined) return { closing: [], withdrawn };
  checkAnswers(log.id, run);
  return { closing: [await endCutOff(run, log, host.lead(findLeader(run)), options)], withdrawn };
}

/**
 * Builds the end of a run that was cut off from its log. Decides nothing about finished steps, so it needs none of the run's options. Of
 * an interrupted answer, it keeps what the guardrails pass.
 */
async function endCutOff<Options>(
  record: RunRecord,
  { store, id, view }: SessionLog,
  host: SessionHost<Options>,
  options: Options,
): Promise<NewEntry> {
  const { runId, metadata } = record.entry;
  const { draft } = await store.records(id);
  const open = deriveOpen(record, { draft, steeringWaits: view.steering.unread.length > 0 });
  let interrupted: InterruptedAnswer | undefined;
  if (open.draft !== undefined) {
    const { parts: shown, guarded, truncated, ...at } = open.draft;
    const partial = new PartialResponse();
    partial.add(shown);
    const parts = partial.parts();
    const run = { options, runId, sessionId: id, metadata, turn: at.place.turn };
    const checked = guarded && (await host.checkPartial(parts, run));
    interrupted = interruptedAnswer({ ...at, checked: checked?.actions }, checked?.kept ?? parts, truncated);
  }
  const { turns, ending } = open;
  const how: RunEnding =
    typeof ending === "object"
      ? { stopReason: "guardrail", guardrail: ending }
      : { stopReason: ending, ...(ending === "aborted" && { error: CUT_OFF }) };
  return { type: "end", runId, open: turns, ...sumUpRun(record, turns), ...how, interrupted };
}

/** The end of a run that was stopped while it waited. */
export function endStopped(record: RunRecord, sessionId: string): NewEntry {
  const { turns: open } = deriveOpen(record);
  const { runId } = record.entry;
  const error = describeError(stoppedError(sessionId));
  return { type: "end", runId, open, ...sumUpRun(record, open), stopReason: "aborted", error };
}

function stoppedError(sessionId: string): RunStoppedError {
  return new RunStoppedError(`the run of session "${sessionId}" was stopped on request`);
}

/** How a run ended, as its log records it. */
export type RunEnding = Pick<EndEntry, "stopReason" | "reached" | "guardrail" | "pending" | "problem" | "error">;

/** What the end of a run keeps of its unfinished answer. `isCut`: the answer was longer. */
export function interruptedAnswer(
  { step, place, attempt, checked = [] }: Pick<InterruptedAnswer, "step" | "place" | "attempt" | "checked">,
  kept: readonly Part[],
  isCut: boolean = false,
): InterruptedAnswer | undefined {
  const { parts, truncated } = boundParts(kept);
  if (parts.length + checked.length === 0) return undefined;
  const cut = truncated || isCut ? (true as const) : undefined;
  return present({ step, place, attempt, parts, truncated: cut, checked: checked.length > 0 ? checked : undefined });
}
