import type { Json, SessionStore, SessionSummary } from "@pollux/core";
import { fieldsOf, textOf } from "../inspection/read-values.ts";
import type { Measures } from "../inspection/run-fold.ts";
import { isMoney } from "../inspection/cost.ts";
import { type BeforeFold, NOT_READ, SessionFold } from "../inspection/session-fold.ts";
import { readPlace } from "../inspection/step-place.ts";

/** Entries at the end of a log that a first look reads. */
export const TAIL = 300;

/**
 * The end of a long log, so that the first look at it takes the same time however long it is. What came before is summed up from what
 * the store's list says.
 *
 * @returns Undefined when the whole log is to be read: it is short, or the list doesn't say enough.
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
  // A log that was begun again meanwhile has nothing to do with its summary.
  if (before.turns < 0 || before.totalTokens < 0) return undefined;
  return SessionFold.of(id, entries.slice(index), measures, before);
}

/** The first run that begins; or else, in the middle of a run, the first turn that does. */
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

/** What the list says of all runs, without those at the end that it has counted. */
function usedBefore(
  { runs }: SessionFold,
  { turns = 0, totalTokens = 0, cost = 0, unpriced }: SessionSummary,
  { prices }: Measures,
): Pick<BeforeFold, "turns" | "totalTokens" | "priced"> {
  const last = runs.at(-1);
  const isGoing = last?.end === undefined;
  const counted = isGoing ? runs.slice(0, -1) : runs;
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  // A list has what runs recorded; one without money may be of agents without prices.
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
