import type { StepPlace } from "../../durable/run-log.ts";
import { type EndEntry, hasResult } from "../log/entries.ts";
import { ReplayDifferenceError } from "../../errors/run-errors.ts";
import { firstDifference } from "../../internal/json.ts";
import type { RunResult } from "../../loop/result.ts";
import type { RunningLoop } from "../../loop/run-stream.ts";
import { WALL_TIME_REACHED } from "../../loop/limits.ts";
import { readRun } from "./run-request.ts";
import { endedWithoutResult, type OpenRecordOptions, type RecordOpener, type RunReading } from "./record-opener.ts";
import { hasLaterTurn } from "./run-closer.ts";
import type { RunRecord } from "../log/run-record.ts";
import { listRunContents } from "../log/run-turns.ts";
import type { Content } from "../../wire/types/content.ts";

/** Makes a recorded run once more from its log: no model is asked, no tool is run, nothing is written. */
export function replayRun<Options>(
  recorded: RecordOpener<Options>,
  runId: string | undefined,
  request: RunReading<Options>,
): RunningLoop {
  return readRun(async (reader) => {
    const { opener, record } = await recorded.reread(runId);
    reader.opened = opener.open(record, request, readRecord(record));
    try {
      return await reader.opened.run();
    } catch (error) {
      throw error instanceof EndOfLog ? endedWithoutResult(record) : error;
    }
  });
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
        const known = record.outcomes.get(name)?.outcome;
        if (known !== undefined) asked.add(name);
        return known;
      },
      begunAt: (name) => record.begun.get(name)?.at,
      begin: unwritten,
      record: unwritten,
    },
    missing: ({ name, place }) => {
      if (record.end?.reached?.name === "wallTimeMs" && mayRunOut(place) && outOfTime.size < 2) {
        // The clock is not in the log: what it cut off is the first that is not there, and the request that found out.
        outOfTime.add(name);
        return { ok: false, error: WALL_TIME_REACHED };
      }
      if (!hasResult(record.end)) throw new EndOfLog();
      throw new ReplayDifferenceError(runId, [`it asks for ${name}, which is not in the log`]);
    },
    beforeEnd: async (result) => {
      if (result.stopReason === "finished" && hasLaterTurn(record, result)) return "steered";
      // What a call recorded inside itself is not asked for: the call is not made.
      const unasked = [...record.outcomes].flatMap(([name, { place }]) =>
        asked.has(name) || place.kind === "inner" ? [] : name,
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

class EndOfLog extends Error {}

/** True for steps that leave nothing in the log when the wall time ends them. A call leaves its cancellation. */
function mayRunOut(place: StepPlace | undefined): boolean {
  return place !== undefined && ["model", "compact", "route", "reroute", "guard"].includes(place.kind);
}

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
