import { describeError } from "../../durable/steps.ts";
import { SessionConflictError, SessionUnfinishedError } from "../../errors/run-errors.ts";
import type { Logger } from "../../logging/logger.ts";
import type { BeforeEnd } from "../../loop/loop-input.ts";
import type { RunResult } from "../../loop/result.ts";
import { boundParts } from "../lease/draft-writer.ts";
import { checkAnswers } from "../log/find-damage.ts";
import type { HeldLease } from "../lease/lease.ts";
import type { RecordOpener } from "./record-opener.ts";
import {
  buildEndEntry,
  buildEnding,
  hasLaterTurn,
  interruptedAnswer,
  isOpenDraft,
  type RunEnding,
} from "./run-ending.ts";
import type { OpenedRun } from "./session-host.ts";
import type { AppendAs, NewEntry, SessionLog } from "../log/session-log.ts";
import type { RunRecord } from "../log/session-view.ts";

/** What a message does with a last run that was cut off or waits for an answer: it closes the run, or is refused. */
export type Unfinished = "close" | "refuse";

/** Records how the runs of a session end: those made here, and those that were cut off. */
export class RunCloser<Options> {
  readonly #log: SessionLog;
  readonly #opener: RecordOpener<Options>;

  constructor(log: SessionLog, opener: RecordOpener<Options>) {
    this.#log = log;
    this.#opener = opener;
  }

  /** The entries that make way for the next message. */
  async closeLast(unfinished: Unfinished, options: Options): Promise<readonly NewEntry[]> {
    const { run } = this.#log.view;
    if (run === undefined) return [];
    const waits = run.end?.pending !== undefined;
    if (unfinished === "refuse" && (waits || run.end === undefined)) {
      const why = waits ? "its last run waits for an answer" : "its last run was cut off";
      throw new SessionUnfinishedError(this.#log.id, run.entry.runId, why);
    }
    if (run.end !== undefined) return [];
    checkAnswers(this.#log.id, run);
    return [await this.#endOfCutOff(run, options)];
  }

  /** Reads a run that was cut off as far as its log goes: how it ended. */
  async #endOfCutOff(record: RunRecord, options: Options): Promise<NewEntry> {
    const cutOff = new DOMException("the run was cut off here", "AbortError");
    const missing = (): never => {
      throw cutOff;
    };
    const opened = this.#opener.open(record, { options, emitters: undefined }, { missing });
    let how: RunEnding = { stopReason: "aborted", error: describeError(cutOff) };
    try {
      // All was done but for writing down that it was.
      how = buildEnding(await opened.run());
    } catch (error) {
      if (error !== cutOff) throw error;
    } finally {
      opened.release();
    }
    const { draft } = await this.#log.store.records(this.#log.id);
    const interrupted = draft !== undefined && isOpenDraft(draft, record) ? interruptedAnswer(draft) : undefined;
    return buildEndEntry(record, opened, this.#log.view.segments, { ...how, interrupted });
  }

  /** Records how a run ended and gives its lease back, unless it was steered after it last looked. */
  async end(opened: OpenedRun | undefined, lease: HeldLease, result: RunResult<unknown>): ReturnType<BeforeEnd> {
    const { view } = this.#log;
    const unheard = (): boolean => view.steersAfter(view.steeringCursor).length > 0;
    const mayContinue = result.stopReason === "finished";
    if (mayContinue && (hasLaterTurn(lastRun(this.#log), result) || unheard())) return "more-was-said";
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
    const entry = buildEndEntry(lastRun(this.#log), opened, this.#log.view.segments, { ...how, interrupted });
    await lease.giveBack((change) => this.#log.append({ token: lease.token, lease: change, unless }, entry));
  }

  /** The run's own error matters more than that its end could not be written: a run without end is one that was cut off. */
  async tryEnd(opened: OpenedRun, lease: HeldLease, how: RunEnding, logger: Logger): Promise<void> {
    try {
      await this.#appendEnd(opened, lease, how);
    } catch (error) {
      logger.warn({ err: error }, "the run's end could not be written");
    }
  }
}

/** The run that was just begun or resumed. */
export function lastRun({ view: { run } }: SessionLog): RunRecord {
  if (run === undefined) throw new TypeError("the run could not be recorded");
  return run;
}
