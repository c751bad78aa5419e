import type { ClosedTurn } from "../../durable/closed-turn.ts";
import { journal, type JournalLog, lastTraceparent, type MakeAgain } from "../../durable/journal.ts";
import { READS_SINCE, type Steered } from "../../durable/run-log.ts";
import { type NamedStep, type Outcome, valueLeft } from "../../durable/steps.ts";
import { ReplayDifferenceError, RunStepError } from "../../errors/run-errors.ts";
import { RunReleasedError } from "../../errors/session-errors.ts";
import { whenAborted } from "../../internal/abort.ts";
import { firstDifference } from "../../internal/json.ts";
import { parseTraceparent } from "../../internal/traceparent.ts";
import type { RunEvent } from "../../loop/events.ts";
import { WALL_TIME_REACHED } from "../../loop/limits.ts";
import type { BeforeEnd } from "../../loop/loop-input.ts";
import type { RunResult } from "../../loop/result.ts";
import type { RunningLoop } from "../../loop/run-stream.ts";
import { describeTurns } from "../../loop/turn/closed-turns.ts";
import { prepareHistory } from "../../model/history/import-history.ts";
import { readContents } from "../../tool/reads.ts";
import type { Content } from "../../wire/types/content.ts";
import { type EndEntry, hasResult } from "../log/entries.ts";
import type { RunRecord } from "../log/run-record.ts";
import { checkedInput, hasLaterTurn, listClosed, listRunContents, listTurns } from "../log/run-turns.ts";
import { SessionLog, writeRun } from "../log/session-log.ts";
import { readTurn, recordTurn, type TurnRecord } from "../log/turn-record.ts";
import type { SessionRecords } from "../store/store.ts";
import { readRun } from "./read-run.ts";
import type { OpenedRecord, RunReading, SessionBounds, SessionHost, SessionRun } from "./session-host.ts";

/** Opens the loop on the records of a session's runs: to execute a run, or to read it from its log. */
export class RecordOpener<Options> {
  readonly #log: SessionLog;
  readonly #host: SessionHost<Options>;
  readonly #config: SessionBounds;
  readonly #conversation = {};

  constructor(log: SessionLog, host: SessionHost<Options>, config: SessionBounds) {
    this.#log = log;
    this.#host = host;
    this.#config = config;
  }

  /** @param how - Without a mode, the run is only read from its log. */
  open(record: RunRecord, run: RunReading<Options>, how: OpenRecordOptions): OpenedRecord {
    const { runId, loop, input, guarded = false } = record.entry;
    const { mode = "read", token, missing, onPartial, beforeEnd } = how;
    const { limits, ownerBudget } = this.#config;
    const host = this.#host.lead(record.entry.agent);
    const { before, toHistory, readTurns, about } = this.#placeRun(record, run, host);
    const writer = writeRun(this.#log, record, token);
    const toRecord = (turn: ClosedTurn): TurnRecord => recordTurn(turn, record.outcomes, toHistory);
    // A resumed run continues after its closed turns.
    const turns = mode === "resume" ? listClosed(record) : [];
    const isChecked = turns.length > 0;
    const opened = host.open({
      ...about,
      mode,
      loop,
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
          again: how.again,
        }),
      steering: how.steering ?? { take: (after) => this.#steered(after) },
      steeringCursor: record.steeringCursor,
      session: limits && { limits, before: record.spentBefore },
      ownerBudget: mode === "read" ? budgetAtEnd(record) : ownerBudget,
    });
    return {
      ...opened,
      unwritten: () => ({ closed: writer.unwritten(), open: describeTurns(opened.state).map(toRecord) }),
    };
  }

  /** The result of a run that has ended, and its events, from its record: independent of its agent's code and options. */
  async recall(runId: string, run: RunReading<Options>): Promise<RunResult<unknown>> {
    const { opener, record } = await this.#reread(runId, this.#log.view.length);
    const { entry, end: ended, lost } = record;
    if (!hasResult(ended)) throw endedWithoutResult(record);
    const host = this.#host.lead(entry.agent);
    const { before, readTurns, about } = opener.#placeRun(record, run, host);
    return await host.recall({
      ...about,
      contents: [...before, ...checkedInput(record)],
      turns: readTurns(listTurns(record)),
      lost,
      ended,
      // Questions that were answered since are no longer open.
      open: this.#log.view.run?.entry.runId === runId ? this.#log.view.run.end?.pending : undefined,
      interrupted: ended.interrupted?.parts,
      output: entry.output,
    });
  }

  /**
   * Replays a recorded run from its log, by default the last one: no model is called, no tool is run, nothing is written.
   *
   * @param again - Executes some of the steps again.
   */
  replay(runId: string | undefined, run: RunReading<Options>, again?: MakeAgain): RunningLoop {
    return readRun(async (reader) => {
      const { opener, record } = await this.#reread(runId);
      reader.opened = opener.open(record, run, { ...readRecord(record), ...(again && madeAgain(again)) });
      try {
        return await reader.opened.run();
      } catch (error) {
        throw error instanceof EndOfLog ? endedWithoutResult(record) : error;
      }
    });
  }

  /** A recorded run, by default the last one, and an opener on the log up to its end, or on its first `length` entries. */
  async #reread(
    runId: string | undefined,
    length?: number,
  ): Promise<{ readonly opener: RecordOpener<Options>; readonly record: RunRecord }> {
    const { store, id } = this.#log;
    const log = new SessionLog(store, id);
    await log.readUpTo(runId, length);
    const record = log.view.run;
    if (record === undefined) {
      const last = log.view.runIds.size === 0 ? "yet" : "since its rewind";
      throw new TypeError(`session "${id}" has no run ${runId ?? last}`);
    }
    return { opener: new RecordOpener(log, this.#host, this.#config), record };
  }

  /** A run after the contents before it, as this session's model reads them: another model's contents may be omitted. */
  #placeRun(record: RunRecord, { options, emitters }: RunReading<Options>, { origin: to }: SessionHost<Options>) {
    const { entry, outcomes } = record;
    const { runId, metadata, loop } = entry;
    const own = loop < READS_SINCE ? readContents(listRunContents(record)) : (entry.read ?? []);
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
      toHistory: (place: number) => Math.max(0, translate(place, before, history)),
      readTurns: (turns: readonly TurnRecord[]) => turns.map((turn) => readTurn(turn, outcomes, toSent)),
      about: {
        options,
        emitters,
        sessionId,
        runId,
        metadata,
        historyLength: before.length,
        read: [...segments.flatMap(({ read = [] }) => read), ...own],
        compaction: compaction && keepFrom !== undefined ? { ...compaction, keepFrom } : undefined,
      },
    };
  }

  async #steered(after: number): Promise<Steered | undefined> {
    await this.#log.refresh();
    const messages = this.#log.view.steering.after(after);
    const last = messages.at(-1);
    if (last === undefined) return undefined;
    const read = messages.flatMap((one) => one.read ?? []);
    const contents = messages.flatMap((one) => [...one.contents]);
    return { contents, upTo: last.position + 1, ...(read.length > 0 && { read }) };
  }
}

/** A cut is at a user's message, which never changes. */
function translate(place: number, from: readonly Content[], to: readonly Content[]): number {
  const content = from[place];
  return content === undefined ? to.length + place - from.length : to.indexOf(content);
}

function endedWithoutResult({ end }: RunRecord): RunStepError {
  const { error, stopReason = "cut off" } = end ?? {};
  const why = error === undefined ? "" : `: ${error.name}: ${error.message}`;
  return new RunStepError(`the recorded run ended here without a result (${stopReason})${why}`, "", { cause: error });
}

/** The owner's budget as it was when it ended a run. */
function budgetAtEnd({ end }: RunRecord): SessionBounds["ownerBudget"] {
  const { scope, limit, used } = end?.reached ?? {};
  if (scope !== "owner" || limit === undefined || used === undefined) return undefined;
  return () => ({ maxCost: limit, spent: used });
}

interface OpenRecordOptions extends Partial<Pick<SessionRun<unknown>, "mode" | "steering" | "onPartial">> {
  /** Token of the run's lease; absent when nothing is written. */
  readonly token?: number | undefined;
  /** The outcomes of the run's steps. @defaultValue the session's log, to which new ones are written */
  readonly log?: JournalLog | undefined;
  readonly beforeEnd: BeforeEnd;
  /** The session's records from before the run was resumed. */
  readonly left?: SessionRecords | undefined;
  /** Called instead of an operation that has no outcome yet. */
  readonly missing?: ((op: NamedStep) => Outcome) | undefined;
  /** Executes steps of a replay again. */
  readonly again?: MakeAgain | undefined;
  /** After a release of the run, ends the `once` calls that have begun. Any other abort of the run ends them at once. */
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

/** Returns the log's outcomes, notes which were requested, and compares the result with the record before the run reports its end. */
function readRecord(record: RunRecord): OpenRecordOptions {
  const { runId } = record.entry;
  const used = new Set<string>();
  const outOfTime = new Set<string>();
  const unwritten = (): never => {
    throw new TypeError("a replay writes nothing");
  };
  return {
    log: {
      findOutcome: (name) => {
        const known = record.outcomes.get(name)?.outcome;
        if (known !== undefined) used.add(name);
        return known;
      },
      begunAt: (name) => record.begun.get(name)?.at,
      begin: unwritten,
      record: unwritten,
    },
    missing: ({ name, place }) => {
      // When the wall time ends a call, its cancellation is in the log; these steps leave nothing.
      const mayRunOut = place !== undefined && ["model", "compact", "route", "reroute", "guard"].includes(place.kind);
      if (record.end?.reached?.name === "wallTimeMs" && mayRunOut && outOfTime.size < 2) {
        // The clock is not in the log. The step that it cut off is the first one missing; the request that noticed is the second.
        outOfTime.add(name);
        return { ok: false, error: WALL_TIME_REACHED };
      }
      if (!hasResult(record.end)) throw new EndOfLog();
      throw new ReplayDifferenceError(runId, [`it asks for ${name}, which is not in the log`]);
    },
    beforeEnd: async (result) => {
      if (result.stopReason === "finished" && hasLaterTurn(record, result)) return "steered";
      // Steps inside a call are not requested, because the call is not made.
      const unasked = [...record.outcomes].flatMap(([name, { place }]) =>
        used.has(name) || place.kind === "inner" ? [] : name,
      );
      const differences = [
        ...unasked.map((name) => `it never asks for ${name}, which is in the log`),
        ...compareEnds(record, result),
      ];
      if (differences.length > 0) throw new ReplayDifferenceError(runId, differences);
      return "ended";
    },
  };
}

/** A request that is sent again includes the steering messages that it included when it was recorded. */
function madeAgain(again: MakeAgain): Pick<OpenRecordOptions, "again" | "steering"> {
  let steered: Steered | undefined;
  return {
    again: (op, known, make) => {
      ({ steered } = valueLeft(known));
      return again(op, known, make);
    },
    steering: { take: async (after) => (steered !== undefined && steered.upTo > after ? steered : undefined) },
  };
}

class EndOfLog extends Error {}

function compareEnds(record: RunRecord, result: RunResult<unknown>): string[] {
  const { end } = record;
  if (end === undefined) return [`it ends with "${result.stopReason}", and the log has no end`];
  const unfinished = "interrupted" in result && result.interrupted !== undefined ? 1 : 0;
  const describe = (
    { stopReason, turns, usage }: Pick<EndEntry, "stopReason" | "turns" | "usage">,
    added: readonly Content[],
  ): object => ({ stopReason, turns, usage, added });
  const added = result.added.slice(0, result.added.length - unfinished);
  const where = firstDifference(describe(end, listRunContents(record, false)), describe(result, added));
  return where === undefined ? [] : [`its result differs at ${where}`];
}
