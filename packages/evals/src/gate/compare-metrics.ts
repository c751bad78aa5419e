import type { MetricComparison } from "../report/eval-run.ts";
import { differenceOnTheseCases } from "../statistics/differences.ts";
import { type Counts, meanRate } from "../statistics/rates.ts";
import { type Pair, worseCounts } from "../statistics/worse-counts.ts";
import { differenceOfValues, higherValues, mean } from "../statistics/worse-values.ts";
import { type CaseRecord, countsOf } from "./baseline.ts";

/** A case that is in the run and in the baseline, unchanged. */
export interface ComparedCase extends Pair<CaseRecord> {
  readonly id: string;
}

type Comparison = Omit<MetricComparison, "isWorse" | "isGated">;

/** Compared by factors rather than by differences: a case that costs ten times as much should not count ten times. */
const FACTORS = new Set(["cost", "durationMs", "inputTokens", "outputTokens"]);

/** More of these is better; more of any other figure is worse. */
const BETTER_HIGHER = new Set(["cachedTokens"]);

/** `passed` and all figures and scores that cases have on both sides, in this order. Of two with the same name, the figure. */
export function compareMetrics(cases: readonly ComparedCase[], gated: readonly string[]): Comparison[] {
  if (cases.length === 0) return [];
  const figures = namesOf(cases, "figures");
  const scores = namesOf(cases, "scores").filter((name) => name !== "passed" && !figures.includes(name));
  return [
    compareCounts("passed", cases.map(countPair)),
    ...figures.map((name) => compareValues(name, valuesOf(cases, "figures", name), gated.includes(name))),
    ...scores.map((name) => compareScores(name, valuesOf(cases, "scores", name), gated.includes(name))),
  ];
}

/** Passed and trials of a case, on both sides. */
export function countPair({ now, before }: Pair<CaseRecord>): Pair<Counts> {
  return { now: countsOf(now), before: countsOf(before) };
}

function compareCounts(name: string, pairs: readonly Pair<Counts>[]): Comparison {
  return {
    name,
    now: meanRate(pairs.map(({ now }) => now)),
    before: meanRate(pairs.map(({ before }) => before)),
    difference: differenceOnTheseCases(pairs),
    p: worseCounts(pairs),
  };
}

function compareScores(name: string, pairs: readonly Pair<readonly number[]>[], isGated: boolean): Comparison {
  if (!pairs.every(({ now, before }) => [...now, ...before].every((score) => score === 0 || score === 1)))
    return compareValues(name, pairs, isGated, -1);
  const count = (scores: readonly number[]): Counts => ({
    passed: scores.filter((score) => score === 1).length,
    trials: scores.length,
  });
  return compareCounts(
    name,
    pairs.map(({ now, before }) => ({ now: count(now), before: count(before) })),
  );
}

function compareValues(
  name: string,
  pairs: readonly Pair<readonly number[]>[],
  isGated: boolean,
  worse: 1 | -1 = BETTER_HIGHER.has(name) ? -1 : 1,
): Comparison {
  const isFactor = FACTORS.has(name) && pairs.every(({ now, before }) => [...now, ...before].every((x) => x > 0));
  const scale = (values: readonly number[]): number[] => values.map((x) => worse * (isFactor ? Math.log(x) : x));
  const scaled = pairs.map(({ now, before }) => ({ now: scale(now), before: scale(before) }));
  return {
    name,
    now: mean(pairs.map(({ now }) => mean(now))),
    before: mean(pairs.map(({ before }) => mean(before))),
    difference: differenceOfValues(pairs),
    // A metric that is only shown needs fewer digits.
    p: higherValues(scaled, name, isGated ? 9999 : 999),
  };
}

function namesOf(cases: readonly ComparedCase[], kind: "figures" | "scores"): string[] {
  const names = cases.flatMap(({ now, before }) =>
    Object.keys(now[kind]).filter((name) => Object.hasOwn(before[kind], name)),
  );
  return [...new Set(names)];
}

function valuesOf(cases: readonly ComparedCase[], kind: "figures" | "scores", name: string): Pair<readonly number[]>[] {
  return cases.flatMap(({ now, before }) => {
    const pair = { now: now[kind][name] ?? [], before: before[kind][name] ?? [] };
    return pair.now.length > 0 && pair.before.length > 0 ? [pair] : [];
  });
}
