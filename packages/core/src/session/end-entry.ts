import type { RunResult } from "../loop/result.ts";
import { cutInHistory } from "./cut-history.ts";
import type { EndEntry } from "./entries.ts";
import type { OpenedRun } from "./session-host.ts";
import type { NewEntry } from "./session-log.ts";
import { refsOf, type RunRecord, type Stretch } from "./session-view.ts";

/** How a run ended, in the words of its log. */
export type RunEnding = Pick<EndEntry, "stopReason" | "limit" | "pending" | "error">;

/** The ending of a run that gave a result. */
export function endingOf(result: RunResult<unknown>): RunEnding {
  const { stopReason } = result;
  if (stopReason === "limit") return { stopReason, limit: result.limit.name };
  return "pending" in result ? { stopReason, pending: result.pending } : { stopReason };
}

/** The entry that ends a run. */
export function endEntry(
  record: RunRecord,
  run: OpenedRun,
  stretches: readonly Stretch[],
  how: RunEnding,
): Extract<NewEntry, { type: "end" }> {
  const { contents, compaction } = run.soFar();
  const { turns, toolCalls, usage, cost } = run.spent();
  return {
    type: "end",
    runId: record.entry.runId,
    added: refsOf(contents.slice(run.historyLength + record.entry.input.length), record.outcomes),
    turns,
    toolCalls,
    usage,
    ...(cost > 0 && { cost }),
    ...(compaction !== undefined && { compaction: cutInHistory(compaction, contents, run.historyLength, stretches) }),
    ...how,
  };
}
