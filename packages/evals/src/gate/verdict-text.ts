import type { EvalRun, MetricComparison, Verdict } from "../report/eval-run.ts";
import { percent, rateOfTheseCases } from "../statistics/rates.ts";
import { type Baseline, baselineOf, countsOf } from "./baseline.ts";

/** What a verdict's sentences are made of. */
export interface VerdictFacts {
  readonly run: Omit<EvalRun, "verdict">;
  readonly baseline: Baseline | undefined;
  readonly verdict: Omit<Verdict, "text">;
  /** Cases whose replay differs. */
  readonly replays: readonly string[];
  /** Why it is incomplete. */
  readonly reasons: readonly string[];
  readonly level: number;
}

/** A verdict in a few sentences for a person: new versions of models first, then the findings, then what was not compared. */
export function verdictText(facts: VerdictFacts): string {
  const sentences = [...newVersions(facts), ...SAY[facts.verdict.outcome](facts), ...notCompared(facts)];
  return sentences.filter((sentence) => sentence !== "").join(" ");
}

const SAY: { readonly [outcome in Verdict["outcome"]]: (facts: VerdictFacts) => string[] } = {
  worse: ({ verdict, replays, reasons, level }) => {
    const found = [
      ...verdict.metrics
        .filter(({ isWorse, name }) => isWorse || (name === "passed" && verdict.broken.length > 0))
        .map(metricText),
      ...verdict.broken.map(
        ({ id, passed, before }) => `\`${id}\` broke (${passed.join(" of ")}, was ${before.join(" of ")})`,
      ),
      ...(replays.length > 0 ? [`the replay of ${names(replays)} differs`] : []),
    ];
    return [
      `Worse: ${found.join("; ")}.`,
      ...(reasons.length > 0 ? [`Not everything is known: ${reasons.join("; ")}.`] : []),
      // Replays never differ by chance.
      verdict.broken.length > 0 || verdict.metrics.some(({ isWorse }) => isWorse)
        ? `1 of ${Math.round(1 / level)} unchanged runs causes a false alarm.`
        : "",
    ];
  },
  incomplete: ({ reasons }) => [`Incomplete: ${reasons.join("; ")}.`],
  "no-baseline": ({ run, baseline }) => {
    const { value, low, high } = rateOfTheseCases(Object.values(baselineOf(run).cases).map(countsOf));
    return [
      `${baseline === undefined ? "No baseline" : "No case has a baseline"}: ${percent(value)} pass (${Math.round(100 * low)} to ${percent(high)} on these cases).`,
    ];
  },
  "not-worse": ({ run, verdict, level }) => {
    const passed = verdict.metrics.find(({ name }) => name === "passed");
    if (passed === undefined)
      return [`${run.cases.length === 1 ? "The replay is" : `All ${run.cases.length} replays are`} the same.`];
    const isBetter = passed.now > passed.before && passed.p >= 1 - level;
    const unseen =
      verdict.seenDrop === undefined
        ? "even a drop to 0% may stay unseen"
        : `a drop below ${Math.round(verdict.seenDrop * 100)} points may stay unseen`;
    return [isBetter ? `Better: ${metricText(passed)}.` : `No difference seen; ${unseen}.`];
  },
};

/** Sentences about models whose id is the baseline's, and whose version is not. */
function newVersions({ run, baseline }: VerdictFacts): string[] {
  const versions = (models: EvalRun["models"], id: string): string[] =>
    models.flatMap((model) => (model.id === id && model.version !== undefined ? [model.version] : [])).toSorted();
  return [...new Set(run.models.map(({ id }) => id))].flatMap((id) => {
    const now = versions(run.models, id).join(", ");
    const before = versions(baseline?.models ?? [], id).join(", ");
    return now === before || now === "" || before === ""
      ? []
      : [`The service's model has changed: ${now}, was ${before}.`];
  });
}

function notCompared({ baseline, verdict: { added, missing, outcome } }: VerdictFacts): string[] {
  if (baseline === undefined || outcome === "no-baseline") return [];
  const parts = [
    ...(added.length > 0 ? [`${added.length} without a baseline`] : []),
    ...(missing.length > 0 ? [`${missing.length} of the baseline not run`] : []),
  ];
  return parts.length === 0 ? [] : [`Cases not compared: ${parts.join(", ")}.`];
}

function metricText({ name, now, before }: MetricComparison): string {
  if (name === "passed") return `${percent(now)} pass, ${percent(before)} before`;
  return `\`${name}\` is ${Number(now.toPrecision(3))}, was ${Number(before.toPrecision(3))}`;
}

function names(ids: readonly string[]): string {
  return ids.map((id) => `\`${id}\``).join(", ");
}
