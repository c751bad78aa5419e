import type { Json, SessionStore, SessionSummary } from "@pollux/core";
import { fieldsOf, textOf } from "../inspection/read-values.ts";
import type { Measures } from "../inspection/run-fold.ts";
import { isMoney } from "../inspection/cost.ts";
import { type BeforeFold, NOT_READ, SessionFold } from "../inspection/session-fold.ts";
import { readPlace } from "../inspection/step-place.ts";

/** Entries at the end of a long log to read at first. */
export const TAIL = 300;

/**
 * Reads the end of a long log, so that opening it takes the same time no matter how long it is. Totals of the unread part come from
 * the store's list.
 *
 * @returns Undefined to read the whole log: it is short, or the list doesn't have enough.
 */
export async function readTail(
  store: SessionStore,
  id: string,
  measures: Measures,
  size: number,
): Promise<SessionFold | undefined> {
  const [summary] = await store.list({ prefix: id, order: "id", limit: 1 });
  if (summary?.id !== id || summary.turns === undefined || summary.length <= size) return undefined;
  const from = summary.length - size;
  const entries = await store.load(id, from);
  const start = findStart(entries);
  if (start === undefined) return undefined;
  const { index, runId } = start;
  const known: Pick<BeforeFold, "entries" | "title" | "createdAt" | "run"> = {
    entries: from + index,
    title: summary.title,
    createdAt: summary.createdAt,
    run: runId === undefined ? undefined : { runId, at: fieldsOf(entries[index])["at"], metadata: summary.runMetadata },
  };
  const listed = SessionFold.of(id, entries.slice(index, size), measures, {
    ...known,
    turns: 0,
    totalTokens: 0,
    priced: {},
  });
  const before = { ...known, ...usedBefore(listed, summary, measures) };
  // The summary doesn't match a log that has started over in the meantime.
  if (before.turns < 0 || before.totalTokens < 0) return undefined;
  return SessionFold.of(id, entries.slice(index), measures, before);
}

/** The first entry of a run; or else, in the middle of a run, the first entry of a turn. */
function findStart(entries: readonly Json[]): { readonly index: number; readonly runId?: string } | undefined {
  const run = entries.findIndex((entry) => fieldsOf(entry)["type"] === "run");
  if (run !== -1) return { index: run };
  let begun: number | undefined;
  for (const [index, entry] of entries.entries()) {
    const place = readPlace(entry);
    if (place.kind === "other") continue;
    begun ??= place.turn;
    const runId = textOf(fieldsOf(entry)["runId"]);
    if (place.turn > begun && runId !== undefined) return { index, runId };
  }
  return undefined;
}

/** The list's totals, minus the runs that were read. */
function usedBefore(
  { runs }: SessionFold,
  { turns = 0, totalTokens = 0, cost = 0, unpriced }: SessionSummary,
  { prices }: Measures,
): Pick<BeforeFold, "turns" | "totalTokens" | "priced"> {
  const last = runs.at(-1);
  const isGoing = last?.end === undefined;
  const counted = isGoing ? runs.slice(0, -1) : runs;
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  // A list has recorded costs only; no cost may mean agents without prices.
  const costs = runs.map(({ cost: priced }) => (priced.cost ?? 0) - (priced.pricedHere ?? 0));
  const known = Math.max(0, cost - sum(costs));
  const isKnown = prices === undefined || cost > 0;
  return {
    turns: turns - sum(counted.map(({ turnCount }) => turnCount)),
    totalTokens:
      totalTokens - sum(counted.filter(({ end }) => end !== undefined).map(({ usage }) => usage.totalTokens)),
    priced: {
      cost: isMoney(known, cost) ? known : undefined,
      unpriced: unpriced ?? (isKnown ? undefined : NOT_READ),
    },
  };
}
