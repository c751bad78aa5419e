import type { EndReason, SessionEntry, SessionSummary } from "@pollux/core";
import { describeLog } from "@pollux/core/doctor";
import type { SessionFold } from "./session-fold.ts";

/** What a store's list would say of a session that is only read. @param changedAt - Of its file. */
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
    // A list tells by its lease whether a run goes on.
    state: state === "done" ? "idle" : state === "cut-off" ? "running" : state,
    // As it stands in the log. How a run without an end stands is not an ending.
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
