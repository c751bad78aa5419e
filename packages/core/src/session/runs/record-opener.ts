import { journal, type JournalLog, lastTraceparent } from "../../durable/journal.ts";
import type { NamedStep, Outcome } from "../../durable/steps.ts";
import { RunReleasedError } from "../../errors/session-errors.ts";
import { whenAborted } from "../../internal/abort.ts";
import { parseTraceparent } from "../../internal/traceparent.ts";
import type { RunEvent } from "../../loop/events.ts";
import type { Compaction } from "../../loop/turn/compaction.ts";
import type { PartialAnswer } from "../../loop/turn/partial-answer.ts";
import type { BeforeEnd } from "../../loop/loop-input.ts";
import type { RunResult } from "../../loop/result.ts";
import type { RunEmitters } from "../../loop/run-stream.ts";
import { prepareHistory } from "../../model/history/import-history.ts";
import type { Content } from "../../wire/types/content.ts";
import type { EndWithResult } from "../log/entries.ts";
import type { OpenedRun, SessionBounds, SessionHost, SessionRunMode } from "./session-host.ts";
import type { SessionRecords } from "../store/records.ts";
import type { RunRecord } from "../log/run-record.ts";
import { checkedInput, listClosed, listTurns } from "../log/run-turns.ts";
import { RunWriter } from "../log/run-writer.ts";
import type { NewEntry, SessionLog } from "../log/session-log.ts";
import type { HistorySegment } from "../log/session-view.ts";
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

  /** @param how - Without a mode, the run is only read again. */
  open(record: RunRecord, run: RunReading<Options>, how: OpenRecordOptions): OpenedRecord {
    const { runId, input, metadata, guarded = false } = record.entry;
    const { mode = "read", token, missing, onPartial, beforeEnd } = how;
    const { view } = this.#log;
    const before = this.#contentsBefore();
    const cut = new HistoryCut(view.segments, before);
    const toHistory = (place: number): number => cut.toHistory(place);
    const writer = new RunWriter(this.#log, record, token);
    // One that goes on does so after its closed turns.
    const turns = mode === "resume" ? listClosed(record) : [];
    const isChecked = turns.length > 0;
    const opened = this.#host.open({
      options: run.options,
      sessionId: this.#log.id,
      runId,
      metadata,
      mode,
      contents: [...before, ...(isChecked ? checkedInput(record) : input)],
      ...(turns.length > 0 && {
        turns: turns.map((turn) => readTurn(turn, record.outcomes, (place) => cut.toSent(place))),
      }),
      ...(mode === "resume" && { lost: record.lost }),
      historyLength: before.length,
      compaction: placeCompaction(view.compaction, cut),
      conversation: this.#conversation,
      emitters: run.emitters,
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
          closeTurn: (turn) => writer.closeTurn(recordTurn(turn, record.outcomes, toHistory)),
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
      unwritten: () => ({
        closed: writer.unwritten,
        open: opened.openTurns().map((turn) => recordTurn(turn, record.outcomes, toHistory)),
      }),
    };
  }

  /** The result of a run that has ended, and its events. */
  async recall(record: RunRecord, ended: EndWithResult, run: RunReading<Options>): Promise<RunResult<unknown>> {
    const { runId, metadata, output } = record.entry;
    const { view, id: sessionId } = this.#log;
    const before = this.#contentsBefore();
    const cut = new HistoryCut(view.segments, before);
    return await this.#host.recall({
      ...run,
      sessionId,
      runId,
      metadata,
      contents: [...before, ...checkedInput(record)],
      historyLength: before.length,
      compaction: placeCompaction(view.compaction, cut),
      turns: listTurns(record).map((turn) => readTurn(turn, record.outcomes, (place) => cut.toSent(place))),
      lost: record.lost,
      ended,
      interrupted: ended.interrupted?.parts,
      output,
    });
  }

  /** The contents before a run, fit for this session's model. */
  #contentsBefore(): readonly Content[] {
    const { origin: to } = this.#host;
    return this.#log.view.segments.flatMap(({ origin: from, contents }) => {
      const isOwn = from?.endpoint === to.endpoint && from.family === to.family;
      return isOwn ? contents : prepareHistory(contents, { from, to });
    });
  }

  async #steered(after: number): Promise<{ readonly contents: readonly Content[]; readonly upTo: number } | undefined> {
    await this.#log.refresh();
    const said = this.#log.view.steersAfter(after);
    const last = said.at(-1);
    if (last === undefined) return undefined;
    return { contents: said.flatMap((one) => [...one.contents]), upTo: last.position + 1 };
  }
}

/** A run, and what of it is not in the log. */
export interface OpenedRecord extends OpenedRun {
  unwritten(): {
    /** Entries of closed turns. */
    readonly closed: readonly NewEntry[];
    /** The turns after those. */
    readonly open: readonly TurnRecord[];
  };
}

/**
 * Places in the history before a run, and the same places in what is sent of it: contents of another model may have been left out.
 * Places behind it are the same distance from its end.
 */
class HistoryCut {
  readonly #history: readonly Content[];
  readonly #sent: readonly Content[];

  constructor(segments: readonly HistorySegment[], sent: readonly Content[]) {
    this.#history = segments.flatMap(({ contents }) => contents);
    this.#sent = sent;
  }

  /** @returns Undefined for a content that is not sent. */
  toSent(place: number): number | undefined {
    const found = translate(place, this.#history, this.#sent);
    return found < 0 ? undefined : found;
  }

  toHistory(place: number): number {
    return Math.max(0, translate(place, this.#sent, this.#history));
  }
}

/** A cut is at a message of the user's, which is never changed. */
function translate(place: number, from: readonly Content[], to: readonly Content[]): number {
  const content = from[place];
  return content === undefined ? to.length + place - from.length : to.indexOf(content);
}

function placeCompaction(compaction: Compaction | undefined, cut: HistoryCut): Compaction | undefined {
  const keepFrom = compaction && cut.toSent(compaction.keepFrom);
  return keepFrom === undefined || compaction === undefined ? undefined : { summary: compaction.summary, keepFrom };
}

/** How its owner's budget stood when that ended a run. */
function budgetAtEnd({ end }: RunRecord): SessionBounds["ownerBudget"] {
  const { scope, limit, used } = end?.reached ?? {};
  if (scope !== "owner" || limit === undefined || used === undefined) return undefined;
  return () => ({ maxCost: limit, spent: used });
}

/** How a run is read: with what options, and where its events go. */
export interface RunReading<Options> {
  readonly options: Options;
  readonly emitters: RunEmitters | undefined;
}

/** How a record is opened. */
export interface OpenRecordOptions {
  /** @defaultValue "read" */
  readonly mode?: SessionRunMode | undefined;
  /** Of the run's lease; absent when nothing is written. */
  readonly token?: number | undefined;
  /** What the run's steps left. @defaultValue what the session's log has, where more is written */
  readonly log?: JournalLog | undefined;
  readonly beforeEnd: BeforeEnd;
  /** The session's records from before, when the run is resumed. */
  readonly left?: SessionRecords | undefined;
  /** Called instead of an operation that has no outcome yet. */
  readonly missing?: ((op: NamedStep) => Outcome) | undefined;
  /** Called whenever more of an answer is known. */
  readonly onPartial?: ((partial: PartialAnswer) => void) | undefined;
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
