import { journal, type JournalLog, lastTraceparent } from "../../durable/journal.ts";
import type { ClosedTurn } from "../../durable/closed-turn.ts";
import type { NamedStep, Outcome } from "../../durable/steps.ts";
import { RunStepError } from "../../errors/run-errors.ts";
import { RunReleasedError } from "../../errors/session-errors.ts";
import { whenAborted } from "../../internal/abort.ts";
import { parseTraceparent } from "../../internal/traceparent.ts";
import type { RunEvent } from "../../loop/events.ts";
import type { PartialResponse } from "../../loop/turn/partial-answer.ts";
import type { BeforeEnd } from "../../loop/loop-input.ts";
import type { RunResult } from "../../loop/result.ts";
import { prepareHistory } from "../../model/history/import-history.ts";
import type { Content } from "../../wire/types/content.ts";
import { hasResult } from "../log/entries.ts";
import type { OpenedRun, RecalledRun, SessionBounds, SessionHost, SessionRun } from "./session-host.ts";
import type { SessionRecords } from "../store/records.ts";
import type { RunRecord } from "../log/run-record.ts";
import { checkedInput, listClosed, listTurns } from "../log/run-turns.ts";
import { RunWriter } from "../log/run-writer.ts";
import { type NewEntry, SessionLog } from "../log/session-log.ts";
import { readTurn, recordTurn, type TurnRecord } from "../log/turn-record.ts";

/** Opens the loop over the records of a session's runs: to make a run, or to read it again. */
export class RecordOpener<Options> {
  readonly #log: SessionLog;
  readonly #host: SessionHost<Options>;
  readonly #bounds: SessionBounds;
  readonly #conversation = {};

  constructor(log: SessionLog, host: SessionHost<Options>, bounds: SessionBounds) {
    this.#log = log;
    this.#host = host;
    this.#bounds = bounds;
  }

  /** A recorded run, by default the last one, and an opener over the first `length` entries up to its end. */
  async reread(
    runId: string | undefined,
    length?: number,
  ): Promise<{ readonly opener: RecordOpener<Options>; readonly record: RunRecord }> {
    const { store, id } = this.#log;
    const log = new SessionLog(store, id);
    await log.readUpTo(runId, length);
    const record = log.view.run;
    if (record === undefined) {
      const last = log.view.runIds.size === 0 ? "yet" : "since it went back";
      throw new TypeError(`session "${id}" has no run ${runId ?? last}`);
    }
    return { opener: new RecordOpener(log, this.#host, this.#bounds), record };
  }

  /** @param how - Without a mode, the run is only read again. */
  open(record: RunRecord, run: RunReading<Options>, how: OpenRecordOptions): OpenedRecord {
    const { runId, input, guarded = false } = record.entry;
    const { mode = "read", token, missing, onPartial, beforeEnd } = how;
    const host = this.#host.lead(record.entry.agent);
    const { before, toHistory, readTurns, about } = this.#placeRun(record, host);
    const writer = new RunWriter(this.#log, record, token);
    const toRecord = (turn: ClosedTurn): TurnRecord => recordTurn(turn, record.outcomes, toHistory);
    // One that goes on does so after its closed turns.
    const turns = mode === "resume" ? listClosed(record) : [];
    const isChecked = turns.length > 0;
    const opened = host.open({
      options: run.options,
      emitters: run.emitters,
      ...about,
      mode,
      contents: [...before, ...(isChecked ? checkedInput(record) : input)],
      ...(isChecked && { turns: readTurns(turns) }),
      ...(mode === "resume" && { lost: record.lost }),
      conversation: this.#conversation,
      beforeEnd,
      resumedFrom: mode === "resume" ? findTrace(record, how.left) : undefined,
      interrupted: mode === "read" ? record.end?.interrupted : undefined,
      checksInput: guarded && !isChecked,
      output: mode === "resume" ? record.entry.output : undefined,
      onPartial,
      steps: ({ signal, emit }) =>
        journal<RunEvent>({
          runId,
          signal,
          onceSignal: how.cut && untilCut(signal, how.cut),
          emit,
          log: how.log ?? writer,
          closeTurn: (turn) => writer.closeTurn(toRecord(turn)),
          missing,
        }),
      steering: { take: (after) => this.#steered(after) },
      steeringCursor: record.steeringCursor,
      limits: this.#bounds.limits,
      ownerBudget: mode === "read" ? budgetAtEnd(record) : this.#bounds.ownerBudget,
      spentBefore: record.spentBefore,
    });
    return {
      ...opened,
      unwritten: () => ({ closed: writer.unwritten, open: opened.openTurns().map(toRecord) }),
    };
  }

  /** The result of a run that has ended, and its events, from its record: no code or option of its agent decides about it. */
  async recall(record: RunRecord, run: RunReading<Options>): Promise<RunResult<unknown>> {
    const { entry, end: ended, lost } = record;
    if (!hasResult(ended)) throw endedWithoutResult(record);
    const host = this.#host.lead(entry.agent);
    const { before, readTurns, about } = this.#placeRun(record, host);
    return await host.recall({
      options: run.options,
      emitters: run.emitters,
      ...about,
      contents: [...before, ...checkedInput(record)],
      turns: readTurns(listTurns(record)),
      lost,
      ended,
      interrupted: ended.interrupted?.parts,
      output: entry.output,
    });
  }

  /** A run behind the contents before it as this session's model reads them: those of another one may have been left out. */
  #placeRun({ entry: { runId, metadata }, outcomes }: RunRecord, { origin: to }: SessionHost<Options>): PlacedRun {
    const { id: sessionId, view } = this.#log;
    const { segments, compaction } = view;
    const history = segments.flatMap(({ contents }) => contents);
    const before = segments.flatMap(({ origin: from, contents }) => {
      const isOwn = from?.endpoint === to.endpoint && from.family === to.family;
      return isOwn ? contents : prepareHistory(contents, { from, to });
    });
    const toSent = (place: number): number | undefined => {
      const found = translate(place, history, before);
      return found < 0 ? undefined : found;
    };
    const keepFrom = compaction && toSent(compaction.keepFrom);
    return {
      before,
      toHistory: (place) => Math.max(0, translate(place, before, history)),
      readTurns: (turns) => turns.map((turn) => readTurn(turn, outcomes, toSent)),
      about: {
        sessionId,
        runId,
        metadata,
        historyLength: before.length,
        compaction: compaction && keepFrom !== undefined ? { ...compaction, keepFrom } : undefined,
      },
    };
  }

  async #steered(after: number): Promise<{ readonly contents: readonly Content[]; readonly upTo: number } | undefined> {
    await this.#log.refresh();
    const said = this.#log.view.steering.after(after);
    const last = said.at(-1);
    if (last === undefined) return undefined;
    return { contents: said.flatMap((one) => [...one.contents]), upTo: last.position + 1 };
  }
}

interface PlacedRun {
  readonly before: readonly Content[];
  readonly toHistory: (place: number) => number;
  readonly readTurns: (turns: readonly TurnRecord[]) => readonly ClosedTurn[];
  readonly about: Pick<RecalledRun<unknown>, "sessionId" | "runId" | "metadata" | "historyLength" | "compaction">;
}

/** A cut is at a message of the user's, which is never changed. */
function translate(place: number, from: readonly Content[], to: readonly Content[]): number {
  const content = from[place];
  return content === undefined ? to.length + place - from.length : to.indexOf(content);
}

export function endedWithoutResult({ end }: RunRecord): RunStepError {
  const { error, stopReason = "cut off" } = end ?? {};
  const why = error === undefined ? "" : `: ${error.name}: ${error.message}`;
  return new RunStepError(`the recorded run ended here without a result (${stopReason})${why}`, "", { cause: error });
}

/** A run, and what of it is not in the log. */
export interface OpenedRecord extends OpenedRun {
  unwritten(): {
    readonly closed: readonly NewEntry[];
    readonly open: readonly TurnRecord[];
  };
}

/** How its owner's budget stood when that ended a run. */
function budgetAtEnd({ end }: RunRecord): SessionBounds["ownerBudget"] {
  const { scope, limit, used } = end?.reached ?? {};
  if (scope !== "owner" || limit === undefined || used === undefined) return undefined;
  return () => ({ maxCost: limit, spent: used });
}

/** How a run is read: with what options, and where its events go. */
export type RunReading<Options> = Pick<SessionRun<Options>, "options" | "emitters">;

export interface OpenRecordOptions {
  /** @defaultValue "read" */
  readonly mode?: SessionRun<unknown>["mode"] | undefined;
  /** Of the run's lease; absent when nothing is written. */
  readonly token?: number | undefined;
  /** What the run's steps left. @defaultValue what the session's log has, where more is written */
  readonly log?: JournalLog | undefined;
  readonly beforeEnd: BeforeEnd;
  /** The session's records from before, when the run is resumed. */
  readonly left?: SessionRecords | undefined;
  /** Called instead of an operation that has no outcome yet. */
  readonly missing?: ((op: NamedStep) => Outcome) | undefined;
  readonly onPartial?: ((partial: PartialResponse) => void) | undefined;
  /** Ends `once` calls that have begun, when the run was released. Any other abort of the run ends them, too. */
  readonly cut?: AbortSignal | undefined;
}

/** The signal of a run's `once` calls. */
function untilCut(signal: AbortSignal, cut: AbortSignal): AbortSignal {
  const controller = new AbortController();
  whenAborted(signal, () => {
    if (!(signal.reason instanceof RunReleasedError)) controller.abort(signal.reason);
  });
  whenAborted(cut, () => controller.abort(cut.reason));
  return controller.signal;
}

/** The `traceparent` under which a run was last executed: its last process left it in the lease, in a draft, or in a step. */
function findTrace({ entry, outcomes }: RunRecord, { lease, draft }: SessionRecords = {}): string | undefined {
  const found = [lease, draft].find(
    (one) => one?.runId === entry.runId && parseTraceparent(one.traceparent) !== undefined,
  );
  return found?.traceparent ?? lastTraceparent([...outcomes.values()].map(({ outcome }) => outcome));
}
