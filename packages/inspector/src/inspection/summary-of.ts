import type { EndReason, SessionEntry, SessionSummary } from "@pollux/core";
import { describeLog } from "@pollux/core/doctor";
import type { SessionFold } from "./session-fold.ts";

/** The summary that a store's list would have for a session of a file. @param changedAt - When the file changed. */
export function summaryOf(fold: SessionFold, changedAt: number): SessionSummary {
  const { id, title, length, entries } = fold;
  const { runs, usage, cost = 0, unpriced, pricesAsOf, currency, ...shown } = fold.overview();
  const { state, ending, createdAt = changedAt } = shown;
  const last = runs.at(-1);
  return {
    id,
    title,
    length,
    updatedAt: changedAt,
    createdAt,
    // A list checks the lease to see whether a run is active.
    state: state === "done" ? "idle" : state === "cut-off" ? "running" : state,
    // As in the log, where a run without an end has no ending.
    ...(last?.stopReason !== undefined && ending !== undefined && { ending: ending as EndReason }),
    ...(last?.agent !== undefined && { runMetadata: { agent: last.agent } }),
    messages: runs.length,
    turns: runs.reduce((sum, run) => sum + run.turns.length, 0),
    totalTokens: usage.totalTokens,
    cost,
    unpriced,
    pricesAsOf,
    currency,
    totals: totalsIn(entries),
  };
}

/** Undefined for a log that core can't read. */
function totalsIn(entries: SessionFold["entries"]): SessionSummary["totals"] {
  try {
    // A log may hold anything.
    return describeLog(entries as unknown as readonly SessionEntry[])?.totals;
  } catch {
    return undefined;
  }
}
