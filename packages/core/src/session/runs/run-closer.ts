import { stepName } from "../../durable/run-log.ts";
import { describeError } from "../../durable/steps.ts";
import { SessionUnfinishedError } from "../../errors/run-errors.ts";
import type { Logger } from "../../logging/logger.ts";
import type { BeforeEnd } from "../../loop/loop-input.ts";
import type { RunResult } from "../../loop/result.ts";
import { PartialResponse } from "../../loop/turn/partial-answer.ts";
import { boundParts } from "../lease/draft-writer.ts";
import type { HeldLease } from "../lease/lease.ts";
import { deriveOpen, type OpenDraft, type OpenPart } from "../log/derive-open.ts";
import type { EndEntry, InterruptedAnswer } from "../log/entries.ts";
import { checkAnswers } from "../log/find-damage.ts";
import type { RunRecord } from "../log/run-record.ts";
import { findLeader, sumUpRun } from "../log/run-turns.ts";
import type { NewEntry, SessionLog } from "../log/session-log.ts";
import type { SessionView } from "../log/session-view.ts";
import type { Part } from "../../wire/types/content.ts";
import type { OpenedRecord } from "./record-opener.ts";
import { openQuestions } from "./session-answers.ts";
import type { SessionHost } from "./session-host.ts";

/**
 * What a message does with a last run that was cut off or waits for an answer: it closes the run, or is refused. `steer`: it steers a
 * run that waits, and closes one that was cut off.
 */
export type Unfinished = "close" | "refuse" | "steer";

/** Records how the runs of a session end: those made here, and those that were cut off. */
export class RunCloser<Options> {
  readonly #log: SessionLog;
  readonly #host: SessionHost<Options>;
  /** Tokens of questions whose answers runs have gone on for: each time for other ones. */
  readonly #goneOnFor: Set<string> = new Set();

  constructor(log: SessionLog, host: SessionHost<Options>) {
    this.#log = log;
    this.#host = host;
  }

  /** The entries that make way for the next message, and the tokens of the questions that it withdraws. */
  async closeLast(
    unfinished: Unfinished,
    options: Options,
  ): Promise<{
    readonly closing: readonly NewEntry[];
    readonly withdrawal: { readonly withdrawn?: readonly string[] };
  }> {
    const { run } = this.#log.view;
    if (run === undefined) return { closing: [], withdrawal: {} };
    const waits = run.end?.pending !== undefined;
    if (unfinished === "refuse" && (waits || run.end === undefined)) {
      const why = waits ? "its last run waits for an answer" : "its last run was cut off";
      throw new SessionUnfinishedError(this.#log.id, run.entry.runId, why);
    }
    const withdrawn = openQuestions(run).map(({ token }) => token);
    const withdrawal = withdrawn.length > 0 ? { withdrawn } : {};
    if (run.end !== undefined) return { closing: [], withdrawal };
    checkAnswers(this.#log.id, run);
    return { closing: [await this.#endOfCutOff(run, options)], withdrawal };
  }

  /** How a run that was cut off ended, as far as its log goes. Decides nothing about what is finished, so it needs none of its options. */
  async #endOfCutOff(record: RunRecord, options: Options): Promise<NewEntry> {
    const { store, id, view } = this.#log;
    const { draft } = await store.records(id);
    const { runId, metadata } = record.entry;
    const steeringWaits = view.steering.unread.length > 0;
    const open = deriveOpen(record, { draft, steeringWaits });
    const about = { options, runId, sessionId: id, metadata };
    const interrupted = open.draft && (await this.#closeDraft(open.draft, about, this.#host.lead(findLeader(record))));
    const { ending, turns } = open;
    return {
      type: "end",
      runId,
      open: turns,
      ...sumUpRun(record, turns),
      ...describeEnding(ending),
      ...(interrupted !== undefined && { interrupted }),
    };
  }

  /** What is kept of an answer that broke off: what its guardrails let pass. */
  async #closeDraft(
    { step, place, attempt, parts: said, guarded, truncated }: OpenDraft,
    run: Omit<Parameters<SessionHost<Options>["checkPartial"]>[1], "turn">,
    host: SessionHost<Options>,
  ): Promise<InterruptedAnswer | undefined> {
    const partial = new PartialResponse();
    partial.add(said);
    const parts = partial.parts();
    const checked = guarded && (await host.checkPartial(parts, { ...run, turn: place.turn }));
    return interruptedAnswer({ step, place, attempt, checked: checked?.actions }, checked?.kept ?? parts, truncated);
  }

  /** Records how a run ended and gives its lease back, unless it was steered or answered after it last looked. */
  async end(opened: OpenedRecord | undefined, lease: HeldLease, result: RunResult<unknown>): ReturnType<BeforeEnd> {
    if (result.stopReason === "finished" && hasLaterTurn(lastRun(this.#log), result)) return "steered";
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
    const news = result.pending.filter(({ token }) => view.answered.has(token) && !this.#goneOnFor.has(token));
    for (const { token } of news) this.#goneOnFor.add(token);
    return news.length > 0;
  }

  /** @param overtaken - Whether something has come for which the run goes on instead. */
  async #appendEnd(
    opened: OpenedRecord | undefined,
    lease: HeldLease,
    how: RunEnding,
    overtaken: (view: SessionView) => boolean = () => false,
  ): Promise<void> {
    if (opened === undefined) throw noOpenRun(this.#log);
    const { closed, open } = opened.unwritten();
    const { wallTimeMs: _time, cost, ...spent } = opened.spent();
    const lost = opened.lost();
    const partial = opened.partial();
    const interrupted = interruptedAnswer(partial, partial.kept());
    const entry: NewEntry = {
      type: "end",
      runId: lastRun(this.#log).entry.runId,
      open,
      ...spent,
      ...(cost > 0 && { cost }),
      ...(lost !== undefined && { lost }),
      ...how,
      ...(interrupted !== undefined && { interrupted }),
    };
    await lease.giveBack((change) =>
      this.#log.append({ token: lease.token, lease: change }, (view) => {
        if (overtaken(view)) throw new Overtaken();
        return [...closed, entry];
      }),
    );
  }

  /** The run's own error matters more than that its end could not be written: a run without end is one that was cut off. */
  async tryEnd(opened: OpenedRecord, lease: HeldLease, how: RunEnding, logger: Logger): Promise<void> {
    try {
      await this.#appendEnd(opened, lease, how);
    } catch (error) {
      logger.warn({ err: error }, "the run's end could not be written");
    }
  }
}

class Overtaken extends Error {}

/** How a run ended, in the words of its log. */
export type RunEnding = Pick<EndEntry, "stopReason" | "reached" | "guardrail" | "pending" | "problem" | "error">;

function buildEnding(result: RunResult<unknown>): RunEnding {
  const { stopReason } = result;
  if (stopReason === "limit") return { stopReason, reached: result.limit };
  if (stopReason === "invalid-output") return { stopReason, problem: result.problem };
  if (stopReason === "guardrail") return { stopReason, guardrail: result.guardrail };
  return "pending" in result ? { stopReason, pending: result.pending } : { stopReason };
}

export function buildFailure(error: unknown, aborted: boolean): RunEnding {
  return { stopReason: aborted ? "aborted" : "failed", error: describeError(error) };
}

/** The reader of the run left in the middle of it. */
export const LEFT = { name: "RunAbandonedError", message: "the reader left before the run ended", code: "run_aborted" };

function describeEnding(ending: OpenPart["ending"]): RunEnding {
  if (typeof ending === "object") return { stopReason: "guardrail", guardrail: ending };
  return ending === "aborted" ? { stopReason: ending, error: CUT_OFF } : { stopReason: ending };
}

const CUT_OFF = { name: "AbortError", message: "the run was cut off here" };

/** The run that was just begun or resumed. */
export function lastRun(log: SessionLog): RunRecord {
  const { run } = log.view;
  if (run === undefined) throw noOpenRun(log);
  return run;
}

function noOpenRun({ id }: SessionLog): TypeError {
  return new TypeError(`internal error: session "${id}" has no open run; please report`);
}

/** What the end of a run keeps of the answer that it ended in the middle of. `isCut`: the answer was longer. */
function interruptedAnswer(
  { step, place, attempt, checked = [] }: Pick<InterruptedAnswer, "step" | "place" | "attempt" | "checked">,
  kept: readonly Part[],
  isCut: boolean = false,
): InterruptedAnswer | undefined {
  const { parts, truncated } = boundParts(kept);
  if (parts.length + checked.length === 0) return undefined;
  return {
    step,
    place,
    attempt,
    parts,
    ...((truncated || isCut) && { truncated: true }),
    ...(checked.length > 0 && { checked }),
  };
}

/** True when the log holds what the run did after it would have finished: it was steered at the last moment. */
export function hasLaterTurn({ outcomes }: RunRecord, { turns }: { readonly turns: number }): boolean {
  return outcomes.has(stepName({ kind: "model", phase: "work", turn: turns + 1, attempt: 0 }));
}
