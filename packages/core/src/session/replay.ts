import { parseStepName } from "../durable/run-log.ts";
import type { JournalLog } from "../durable/journal.ts";
import { ReplayDifferenceError, RunStepError } from "../errors/run-errors.ts";
import { firstDifference } from "../internal/json.ts";
import type { RunResult } from "../loop/result.ts";
import { WALL_TIME_REACHED } from "../loop/wall-clock.ts";
import type { OpenedRun } from "./session-host.ts";
import { resolveRefs, type RunRecord } from "./session-view.ts";

/** A run that is read once more from its log: nothing is asked, run or written. */
export interface Replay {
  /** Gives what the log holds, and notes what was asked for. */
  readonly log: JournalLog;
  /** Called for what the log does not hold. */
  readonly missing: (op: { readonly name: string }) => never;
  /** Compares what came of it with the record, before the run reports its end. @throws {ReplayDifferenceError} */
  readonly beforeEnd: (result: RunResult<unknown>) => Promise<void>;
  /** Makes the opened run. @throws {RunStepError} When the record ends without a result. */
  run(opened: OpenedRun): Promise<RunResult<unknown>>;
}

/** Prepares the replay of a recorded run. */
export function prepareReplay(record: RunRecord): Replay {
  const { runId } = record.entry;
  const asked = new Set<string>();
  const outOfTime = new Set<string>();
  const differences: string[] = [];
  const unwritten = (): never => {
    throw new TypeError("a replay writes nothing");
  };
  return {
    log: {
      outcomeOf: (name) => {
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
    missing: (op) => {
      if (endedWithoutResult(record)) throw new EndOfLog();
      throw new ReplayDifferenceError(runId, [`it asks for ${op.name}, which is not in the log`]);
    },
    beforeEnd: async (result) => {
      for (const name of record.order)
        if (!asked.has(name)) differences.push(`it never asks for ${name}, which is in the log`);
      differences.push(...differencesFromEnd(record, result));
      if (differences.length > 0) throw new ReplayDifferenceError(runId, differences);
    },
    run: async (opened) => {
      try {
        return await opened.run();
      } catch (error) {
        if (!(error instanceof EndOfLog)) throw error;
        const { error: recorded, stopReason = "cut off" } = record.end ?? {};
        const why = recorded === undefined ? "" : `: ${recorded.name}: ${recorded.message}`;
        throw new RunStepError(`the recorded run ended here without a result (${stopReason})${why}`, "", {
          cause: recorded,
        });
      } finally {
        opened.release();
      }
    },
  };
}

class EndOfLog extends Error {}

/** True for steps that leave nothing in the log when the wall time ends them. A call leaves its cancellation. */
function mayRunOut(name: string): boolean {
  const { kind } = parseStepName(name);
  return kind === "model" || kind === "compact" || kind === "route";
}

function endedWithoutResult({ end }: RunRecord): boolean {
  return end === undefined || end.stopReason === "failed" || end.stopReason === "aborted";
}

function differencesFromEnd(record: RunRecord, result: RunResult<unknown>): string[] {
  const { end, entry, outcomes } = record;
  if (end === undefined) return [`it ends with "${result.stopReason}", and the log has no end`];
  const now = {
    stopReason: result.stopReason,
    turns: result.turns,
    usage: result.usage,
    added: result.added.slice(entry.input.length),
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
