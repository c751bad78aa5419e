import { journal, type JournalLog } from "../durable/journal.ts";
import { describeError } from "../durable/describe-error.ts";
import { LoopVersionError, SessionUnfinishedError } from "../errors/session-errors.ts";
import type { RunEvent } from "../loop/events.ts";
import { LOOP_VERSION } from "../loop/loop-version.ts";
import type { RunResult } from "../loop/result.ts";
import { attachRunSoFar, NOTHING_YET } from "../loop/run-so-far.ts";
import type { RunningLoop } from "../loop/run-stream.ts";
import { prepareHistory } from "../model/prepare-history.ts";
import type { Content } from "../wire/content.ts";
import { cutInSent } from "./cut-history.ts";
import { endEntry, endingOf, type RunEnding } from "./end-entry.ts";
import { type Answers, answerEntries } from "./outside-answers.ts";
import { isResumable } from "./run-endings.ts";
import type { OpenedRun, SessionHost, SessionLimits } from "./session-host.ts";
import type { SessionLog } from "./session-log.ts";
import type { RunRecord } from "./session-view.ts";

/** What a session does about a run that was cut off when the next message comes. */
export type Unfinished = "refuse" | "cancel";

/** One run of a session, about to be read. */
export interface SessionRunRequest<Options> {
  readonly options: Options;
  readonly observed: boolean;
}

/** The runs of one session: begins them, takes them up again, and writes down how they end. One at a time. */
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
    return this.#running(async () => {
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
      return this.#open(this.#lastRun(), run);
    });
  }

  /** The last run once more, from where it stopped. */
  resume(
    run: SessionRunRequest<Options> & { readonly answers: Answers; readonly anyLoopVersion: boolean },
  ): RunningLoop {
    return this.#running(async () => {
      await this.log.refresh();
      const record = this.#lastRun();
      const { runId, loop } = record.entry;
      if (record.end !== undefined && !isResumable(record.end)) {
        throw new TypeError(
          `session "${this.log.id}": its last run is over (${record.end.stopReason}), there is nothing to resume`,
        );
      }
      if (loop !== LOOP_VERSION && !run.anyLoopVersion) throw new LoopVersionError(runId, loop, LOOP_VERSION);
      const answers = answerEntries(record, run.answers);
      await this.log.append({ type: "resume", runId }, ...answers);
      return this.#open(record, run);
    });
  }

  /** Opens the loop over a run's record, without writing: `log` decides what an operation without outcome does. */
  open(
    record: RunRecord,
    before: readonly Content[],
    log: JournalLog,
    run: SessionRunRequest<Options>,
    missing?: (op: { readonly name: string }) => never,
  ): OpenedRun {
    const { runId, input } = record.entry;
    return this.#host.open({
      options: run.options,
      runId,
      contents: [...before, ...input],
      given: before.length,
      compaction: cutInSent(this.log.view, before),
      conversation: this.#conversation,
      observed: run.observed,
      steps: ({ signal, emit }) => journal<RunEvent>({ runId, signal, emit, log, missing }),
      steering: { take: (after) => this.#steered(after) },
      steeredUpTo: record.steeredUpTo,
      limits: this.#limits,
      spentBefore: record.spentBefore,
    });
  }

  /** What was said before a run, fit for this session's model. */
  contentsBefore(): readonly Content[] {
    const { origin: to } = this.#host;
    return this.log.view.stretches.flatMap(({ origin: from, contents }) => {
      const isOwn = from?.endpoint === to.endpoint && from.family === to.family;
      return isOwn ? contents : prepareHistory(contents, { from, to });
    });
  }

  #open(record: RunRecord, run: SessionRunRequest<Options>): OpenedRun {
    return this.open(record, this.contentsBefore(), this.log.journalLog(record.entry.runId), run);
  }

  async #steered(after: number): Promise<{ readonly contents: readonly Content[]; readonly upTo: number } | undefined> {
    await this.log.refresh();
    const heard = this.log.view.steersAfter(after);
    const last = heard.at(-1);
    if (last === undefined) return undefined;
    return { contents: heard.flatMap((one) => [...one.contents]), upTo: last.position + 1 };
  }

  #lastRun(): RunRecord {
    const { run } = this.log.view;
    if (run === undefined) throw new TypeError(`session "${this.log.id}" has no run yet: send a message`);
    return run;
  }

  /** Sees to it that the next message may come. */
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
    const log = this.log.journalLog(record.entry.runId);
    const cutOff = new DOMException("the run was cut off here", "AbortError");
    const opened = this.open(record, this.contentsBefore(), log, { options, observed: false }, () => {
      throw cutOff;
    });
    let how: RunEnding = { stopReason: "aborted", error: describeError(cutOff) };
    try {
      let next = await opened.events.next();
      while (next.done !== true) next = await opened.events.next();
      // All was done but for writing down that it was.
      how = endingOf(next.value);
    } catch (error) {
      if (error !== cutOff) throw error;
    } finally {
      opened.release();
    }
    await this.log.append(endEntry(record, opened, this.log.view.stretches, how));
  }

  /** A run to read: prepared, read, and its end written down, whatever it is. */
  #running(prepare: () => Promise<OpenedRun>): RunningLoop {
    if (this.#busy)
      throw new TypeError(`session "${this.log.id}" is still answering: wait for its run, steer it, or abort it`);
    let opened: OpenedRun | undefined;
    const { log } = this;
    this.#busy = true;
    const free = (): void => {
      this.#busy = false;
      log.running = false;
    };

    async function* events(): AsyncGenerator<RunEvent, RunResult<unknown>, void> {
      let ended = false;
      try {
        opened = await prepare();
        log.running = true;
        const record = log.view.run;
        if (record === undefined) throw new TypeError("the run was not written down");
        try {
          for (;;) {
            const next = await opened.events.next();
            if (next.done === true) return next.value;
            if (next.value.type === "run-end") {
              // Written first: whoever reads the event may rely on it.
              await log.append(endEntry(record, opened, log.view.stretches, endingOf(next.value.result)));
              ended = true;
            }
            yield next.value;
          }
        } catch (error) {
          attachRunSoFar(error, opened.soFar());
          if (!ended)
            await writeEnd(record, opened, {
              stopReason: opened.aborted() ? "aborted" : "failed",
              error: describeError(error),
            });
          ended = true;
          throw error;
        } finally {
          opened.release();
          // Only matters to a loop that was left in the middle: a finished or failed one ignores it.
          await opened.events.return(undefined as never);
          if (!ended) await writeEnd(record, opened, { stopReason: "aborted", error: LEFT });
        }
      } finally {
        free();
      }
    }

    /** The run's own error matters more than that its end could not be written: a run without end is one that was cut off. */
    const host = this.#host;
    async function writeEnd(record: RunRecord, run: OpenedRun, how: RunEnding): Promise<void> {
      try {
        await log.append(endEntry(record, run, log.view.stretches, how));
      } catch (error) {
        host.logger.warn(
          { err: error, session: log.id, runId: record.entry.runId },
          "the run's end could not be written",
        );
      }
    }

    return {
      events: events(),
      soFar: () => opened?.soFar() ?? NOTHING_YET,
      release: () => {
        opened?.release();
        free();
      },
    };
  }
}

const LEFT = { name: "RunAbandonedError", message: "the reader left before the run ended", code: "run_aborted" };
