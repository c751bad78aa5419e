import { parseStepName } from "../../durable/run-log.ts";
import { ReplayDifferenceError, RunStepError } from "../../errors/run-errors.ts";
import { firstDifference } from "../../internal/json.ts";
import { NOTHING_YET, type RunResult } from "../../loop/result.ts";
import type { RunningLoop } from "../../loop/run-stream.ts";
import { WALL_TIME_REACHED } from "../../loop/limits.ts";
import { type OpenRecordOptions, RecordOpener, type RunReading } from "./record-opener.ts";
import type { OpenedRun, SessionHost } from "./session-host.ts";
import { hasLaterTurn } from "./run-ending.ts";
import { SessionLog } from "../log/session-log.ts";
import type { SessionKeeping } from "./session-runs.ts";
import { checkedInput, resolveRefs, type RunRecord } from "../log/session-view.ts";
import type { SessionStore } from "../store/store.ts";

/** Makes a recorded run once more from its log: no model is asked, no tool is run, nothing is written. */
export function replayRun<Options>(
  { id, store, host, keeping, length }: ReplayedSession<Options>,
  runId: string | undefined,
  request: RunReading<Options>,
): RunningLoop {
  let opened: OpenedRun | undefined;
  const run = async (): Promise<RunResult<unknown>> => {
    const log = new SessionLog(store, id);
    await log.readUpTo(runId, length);
    const record = log.view.run;
    if (record === undefined) {
      const last = log.view.runIds.size === 0 ? "yet" : "since it went back";
      throw new TypeError(`session "${id}" has no run ${runId ?? last}`);
    }
    opened = new RecordOpener(log, host, keeping.limits).open(record, request, readRecord(record));
    try {
      return await opened.run();
    } catch (error) {
      throw error instanceof EndOfLog ? endedWithoutResult(record) : error;
    } finally {
      opened.release();
    }
  };
  return {
    run,
    soFar: () => opened?.soFar() ?? NOTHING_YET,
    cancelCall: () => false,
    release: () => opened?.release(),
  };
}

/** The session whose run is replayed. */
export interface ReplayedSession<Options> {
  readonly id: string;
  readonly store: SessionStore;
  readonly host: SessionHost<Options>;
  readonly keeping: SessionKeeping;
  /** How much of the log is known: what others have written since does not count. @defaultValue all of it */
  readonly length?: number | undefined;
}

/** Gives what the log holds, notes what was asked for, and compares the result with the record before the run reports its end. */
function readRecord(record: RunRecord): OpenRecordOptions {
  const { runId } = record.entry;
  const asked = new Set<string>();
  const outOfTime = new Set<string>();
  const unwritten = (): never => {
    throw new TypeError("a replay writes nothing");
  };
  return {
    log: {
      findOutcome: (name) => {
        if (record.outcomes.has(name)) asked.add(name);
        else if (record.end?.limit === "wallTimeMs" && mayRunOut(name) && outOfTime.size < 2) {
          // The clock is not in the log: what it cut off is the first that is not there, and the request that found out.
          outOfTime.add(name);
          return { ok: false, error: WALL_TIME_REACHED };
        }
        return record.outcomes.get(name);
      },
      begunAt: (name) => record.begun.get(name),
      begin: unwritten,
      record: unwritten,
    },
    missing: ({ name }) => {
      if (hasNoResult(record)) throw new EndOfLog();
      throw new ReplayDifferenceError(runId, [`it asks for ${name}, which is not in the log`]);
    },
    beforeEnd: async (result) => {
      if (result.stopReason === "finished" && hasLaterTurn(record, result)) return "more-was-said";
      const unasked = record.order.filter((name) => !asked.has(name));
      const differences = [
        ...unasked.map((name) => `it never asks for ${name}, which is in the log`),
        ...compareEnds(record, result),
      ];
      if (differences.length > 0) throw new ReplayDifferenceError(runId, differences);
      return "ended";
    },
  };
}

class EndOfLog extends Error {}

/** True for steps that leave nothing in the log when the wall time ends them. A call leaves its cancellation. */
function mayRunOut(name: string): boolean {
  const { kind } = parseStepName(name);
  return kind === "model" || kind === "compact" || kind === "route";
}

function hasNoResult({ end }: RunRecord): boolean {
  return end === undefined || end.stopReason === "failed" || end.stopReason === "aborted";
}

function compareEnds(record: RunRecord, result: RunResult<unknown>): string[] {
  const { end, outcomes } = record;
  if (end === undefined) return [`it ends with "${result.stopReason}", and the log has no end`];
  const unfinished = "interrupted" in result && result.interrupted !== undefined ? 1 : 0;
  const now = {
    stopReason: result.stopReason,
    turns: result.turns,
    usage: result.usage,
    added: result.added.slice(checkedInput(record).length, result.added.length - unfinished),
  };
  const then = {
    stopReason: end.stopReason,
    turns: end.turns,
    usage: end.usage,
    added: resolveRefs(end.added, outcomes),
  };
  const where = firstDifference(then, now);
  return where === undefined ? [] : [`its result differs at ${where}`];
}

function endedWithoutResult({ end }: RunRecord): RunStepError {
  const { error, stopReason = "cut off" } = end ?? {};
  const why = error === undefined ? "" : `: ${error.name}: ${error.message}`;
  return new RunStepError(`the recorded run ended here without a result (${stopReason})${why}`, "", { cause: error });
}
