import type { StepPlace } from "../../durable/run-log.ts";
import { type Outcome, valueLeft } from "../../durable/steps.ts";
import { present } from "../../internal/json.ts";
import { cutText } from "../../internal/text.ts";
import type { Usage } from "../../model/usage.ts";
import type { EndEntry, RunEntry } from "../log/entries.ts";
import type { TotalsRow } from "./store.ts";

/** A newly counted row, with its exact time. */
export interface CountedRow extends TotalsRow {
  readonly ms?: number | undefined;
}

/** Names that a session keeps of each kind, including the one for the rest. */
const MOST_NAMES = 16;
const NAME_CHARACTERS = 64;
/** Ratio of two neighboring times that are distinguished. */
const FACTOR = 1.3;
const LONGEST = 64;

/**
 * One row for each kind and name.
 *
 * @param mostNames - The most names of one kind: later ones share a row. @defaultValue 16
 */
export function sumTotals(rows: Iterable<CountedRow>, mostNames: number = MOST_NAMES): readonly TotalsRow[] {
  const kinds = new Map<TotalsRow["kind"], Map<string | undefined, Sum>>();
  for (const row of rows) {
    let names = kinds.get(row.kind);
    if (names === undefined) kinds.set(row.kind, (names = new Map()));
    const cut = (row.name?.length ?? 0) > NAME_CHARACTERS ? cutText(row.name ?? "", NAME_CHARACTERS) : row.name;
    const name = names.has(cut) || names.size < mostNames - 1 ? cut : undefined;
    let sum = names.get(name);
    if (sum === undefined) names.set(name, (sum = { kind: row.kind, name, times: new Map() }));
    for (const figure of FIGURES) if (row[figure] !== undefined) sum[figure] = (sum[figure] ?? 0) + row[figure];
    for (const [n, count] of row.times ?? []) sum.times.set(n, (sum.times.get(n) ?? 0) + count);
    if (row.ms === undefined) continue;
    const n = Math.min(LONGEST, Math.round(Math.log(Math.max(1, row.ms)) / Math.log(FACTOR)));
    sum.times.set(n, (sum.times.get(n) ?? 0) + 1);
  }
  return [...kinds.values()].flatMap((names) => [...names.values()].map(rowOf));
}

const FIGURES = ["count", "failed", "input", "cached", "output", "cost"] as const;

type Sum = Pick<TotalsRow, "kind" | "name"> & { [figure in (typeof FIGURES)[number]]?: number } & {
  readonly times: Map<number, number>;
};

/** Omits zeros, except for the count. */
function rowOf({ kind, name, count = 0, failed, input, cached, output, cost = 0, times }: Sum): TotalsRow {
  return present({
    kind,
    name,
    count,
    failed: failed || undefined,
    input: input || undefined,
    cached: cached || undefined,
    output: output || undefined,
    // Without the noise of binary fractions, which would be most of its digits.
    cost: Number(cost.toPrecision(12)) || undefined,
    times: times.size === 0 ? undefined : [...times].toSorted(([a], [b]) => a - b),
  });
}

/**
 * The time within which a share of the counted runs, answers or calls ended, in milliseconds, to 15%.
 *
 * @param share - 0.9 for the 90th percentile.
 * @returns `undefined` without times.
 */
export function percentileOf(times: TotalsRow["times"] = [], share: number): number | undefined {
  let left = Math.ceil(times.reduce((sum, [, count]) => sum + count, 0) * share);
  const found = times.find(([, count]) => (left -= count) <= 0);
  return found && Math.round(FACTOR ** found[0]);
}

/** The rows of one step, for {@link sumTotals}: an answer or a call, and the answers of the runs inside it. */
export function totalsOfStep(place: StepPlace, outcome: Outcome, model: string): readonly CountedRow[] {
  const value = valueLeft(outcome);
  const { response, prepared, nested = [], part, failure, startedAt = 0, endedAt = startedAt } = value;
  if (place.kind === "model" && response !== undefined) {
    const name = response.envelope.modelVersion ?? prepared?.model?.id ?? model;
    return [usedRow("model", name, response.usage, value.cost, endedAt - startedAt)];
  }
  // Only the total cost of an inner run is known: it is divided among the run's answers by their tokens.
  const answers = nested.flatMap(({ usage, cost = 0, responses }) =>
    responses.map(({ usage: used, envelope }) =>
      usedRow("model", envelope.modelVersion, used, usage.totalTokens && (cost * used.totalTokens) / usage.totalTokens),
    ),
  );
  const name = value.name ?? part?.functionResponse?.name;
  if (place.kind !== "call" || name === undefined) return answers;
  const failed = failure === undefined || failure.kind === "denied" || value.job !== undefined ? undefined : 1;
  const inside = nested.map((run) => ({ ...usedRow("tool", name, run.usage, run.cost), count: 0 }));
  return [{ kind: "tool", name, count: 1, failed, ms: value.durationMs ?? 0 }, ...inside, ...answers];
}

const NOT_FAILED: ReadonlySet<string> = new Set(["finished", "stopped", "needs-approval", "needs-outcome"]);

/** The rows of a run's end, which its steps don't have, for {@link sumTotals}. */
export function totalsOfEnd(end: EndEntry, agent: RunEntry["agent"], activeMs: number): readonly CountedRow[] {
  const { stopReason, usage, cost } = end;
  const failed = NOT_FAILED.has(stopReason) ? undefined : 1;
  const ms = stopReason === "aborted" || stopReason === "damaged" ? undefined : activeMs;
  return [
    { kind: "ending", name: stopReason, count: 1 },
    { ...usedRow("agent", agent, usage, cost, ms), failed },
  ];
}

function usedRow(
  kind: TotalsRow["kind"],
  name: string | undefined,
  usage: Usage,
  cost: number | undefined,
  ms?: number,
): CountedRow {
  const input = usage.inputTokens + usage.toolUseTokens;
  const output = usage.outputTokens + usage.thoughtTokens;
  return { kind, name, count: 1, input, cached: usage.cachedTokens, output, cost, ms };
}
