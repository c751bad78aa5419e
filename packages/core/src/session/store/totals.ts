import type { CallStepValue, ModelStepValue, StepPlace } from "../../durable/run-log.ts";
import type { Outcome } from "../../durable/steps.ts";
import { present } from "../../internal/json.ts";
import { cutText } from "../../internal/text.ts";
import type { Usage } from "../../model/usage.ts";
import type { EndEntry, RunEntry } from "../log/entries.ts";

/** What happened under one name. */
export interface TotalsRow {
  /**
   * What was counted: runs by how they ended, and by the agent that began them; answers by the model that gave them, also in the runs
   * inside calls; calls by the tool that was called.
   */
  readonly kind: "ending" | "agent" | "model" | "tool";
  /** At most 64 characters. Absent: all names of this kind beyond the first fifteen. */
  readonly name?: string | undefined;
  readonly count: number;
  /** Of runs and calls, how many failed: not a run that waits, nor a call that was refused. Absent for none. */
  readonly failed?: number | undefined;
  /** Tokens of prompts and of what built-in tools added; of a tool, of the runs inside its calls. Absent for none, as the next two. */
  readonly input?: number | undefined;
  /** Of {@link input}, those read from a cache. */
  readonly cached?: number | undefined;
  /** Tokens of answers and thoughts. */
  readonly output?: number | undefined;
  /** In the unit of the price table; absent for 0. */
  readonly cost?: number | undefined;
  /**
   * How many took about 1.3^n milliseconds: n ascending, to 64 for five hours and above. Not waits for people and jobs, which a run
   * leaves, nor runs that were aborted.
   */
  readonly times?: readonly (readonly [n: number, count: number])[] | undefined;
}

/** Names that a session keeps of each kind, with the one for the rest. */
const MOST_NAMES = 16;
const NAME_CHARACTERS = 64;
/** Between two times that are told apart. */
const FACTOR = 1.3;
const LONGEST = 64;

/**
 * One row for each kind and name.
 *
 * @param mostNames - Of one kind: those that come later have one row together. @defaultValue 16
 */
export function sumTotals(rows: readonly TotalsRow[], mostNames: number = MOST_NAMES): readonly TotalsRow[] {
  const kinds = new Map<TotalsRow["kind"], Map<string | undefined, TotalsRow[]>>();
  for (const row of rows) {
    const names = kinds.get(row.kind) ?? new Map<string | undefined, TotalsRow[]>();
    kinds.set(row.kind, names);
    const name = names.has(row.name) || names.size < mostNames - 1 ? row.name : undefined;
    const alike = names.get(name);
    if (alike === undefined) names.set(name, [row]);
    else alike.push(row);
  }
  return [...kinds].flatMap(([kind, names]) => [...names].map(([name, alike]) => sumRow(kind, name, alike)));
}

/**
 * The time within which a share of what was counted was over, in milliseconds, to 15%.
 *
 * @param share - 0.9 for the 90th percentile.
 * @returns `undefined` without times.
 */
export function percentileOf(times: TotalsRow["times"] = [], share: number): number | undefined {
  let left = Math.ceil(times.reduce((sum, [, count]) => sum + count, 0) * share);
  const found = times.find(([, count]) => (left -= count) <= 0);
  return found && Math.round(FACTOR ** found[0]);
}

/** Of a step of a run that is going: an answer or a call, and the answers of runs inside it. */
export function totalsOfStep(place: StepPlace, outcome: Outcome, model: string): readonly TotalsRow[] {
  if (!outcome.ok) return [];
  // Other steps have no such members.
  const value = (outcome.value ?? {}) as Partial<ModelStepValue & CallStepValue>;
  const { response, cost, nested = [], part, failure, startedAt = 0, endedAt = startedAt } = value;
  const inside = nested.map((run) => ({ ...tokensOf(run.usage), cost: run.cost }));
  // What a run inside cost is known as a whole: it is its answers' by their tokens.
  const answers = nested.flatMap(({ usage, cost: whole = 0, responses }) =>
    responses.map(({ usage: used, envelope }) => {
      const share = usage.totalTokens === 0 ? 0 : used.totalTokens / usage.totalTokens;
      return rowOf("model", envelope.modelVersion, { ...tokensOf(used), cost: whole * share });
    }),
  );
  if (place.kind === "model" && response !== undefined) {
    const name = response.envelope.modelVersion ?? value.prepared?.model?.id ?? model;
    const times = timesOf(endedAt - startedAt);
    return [rowOf("model", name, { ...tokensOf(response.usage), cost, times }), ...answers];
  }
  const name = part?.functionResponse?.name;
  if (place.kind !== "call" || name === undefined) return answers;
  const call = { ...sumRow("tool", name, inside), count: 1, times: timesOf(value.durationMs ?? 0) };
  const failed = failure === undefined || failure.kind === "denied" ? undefined : 1;
  return [rowOf("tool", name, { ...call, failed }), ...answers];
}

const NOT_FAILED: ReadonlySet<string> = new Set(["finished", "stopped", "needs-approval", "needs-outcome"]);

/** Of the end of a run: what its steps don't have. */
export function totalsOfEnd(end: EndEntry, agent: RunEntry["agent"], activeMs: number): readonly TotalsRow[] {
  const { stopReason, usage, cost } = end;
  const failed = NOT_FAILED.has(stopReason) ? undefined : 1;
  const times = stopReason === "aborted" || stopReason === "damaged" ? undefined : timesOf(activeMs);
  return [rowOf("ending", stopReason, {}), rowOf("agent", agent, { failed, ...tokensOf(usage), cost, times })];
}

type Figures = Omit<Partial<TotalsRow>, "kind" | "name">;

function rowOf(kind: TotalsRow["kind"], name: string | undefined, figures: Figures): TotalsRow {
  return sumRow(kind, name && cutText(name, NAME_CHARACTERS), [{ count: 1, ...figures }]);
}

function tokensOf(usage: Usage): Figures {
  const { inputTokens, toolUseTokens, cachedTokens, outputTokens, thoughtTokens } = usage;
  return { input: inputTokens + toolUseTokens, cached: cachedTokens, output: outputTokens + thoughtTokens };
}

function timesOf(ms: number): TotalsRow["times"] {
  return [[Math.min(LONGEST, Math.round(Math.log(Math.max(1, ms)) / Math.log(FACTOR))), 1]];
}

/** What is 0 is left out. */
function sumRow(kind: TotalsRow["kind"], name: string | undefined, rows: readonly Figures[]): TotalsRow {
  const sum = (figure: Exclude<keyof Figures, "times">): number =>
    rows.reduce((all, row) => all + (row[figure] ?? 0), 0);
  const times = new Map<number, number>();
  for (const [n, count] of rows.flatMap((row) => row.times ?? [])) times.set(n, (times.get(n) ?? 0) + count);
  return present({
    kind,
    name,
    count: sum("count"),
    failed: sum("failed") || undefined,
    input: sum("input") || undefined,
    cached: sum("cached") || undefined,
    output: sum("output") || undefined,
    // Without the noise of binary fractions, which would be most of its digits.
    cost: Number(sum("cost").toPrecision(12)) || undefined,
    times: times.size === 0 ? undefined : [...times].toSorted(([a], [b]) => a - b),
  });
}
