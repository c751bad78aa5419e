import { passAtK, passHatK, percent, sum, wilson } from "../statistics/rates.ts";
import { countOf, passedOf } from "./case-problem.ts";
import type { CaseResult, EvalRun } from "./eval-run.ts";

/** Cells in words; the first row is the head. */
export type Rows = readonly (readonly string[])[];

/** A row for each case, in the suite's order: the change is in points, the cost a trial's mean, and the last cell remarks. */
export function caseRows({ cases, verdict }: EvalRun): Rows {
  const rows = cases.map((found) => {
    const { id, trials } = found;
    const [passed, of] = [passedOf(found), trials.length];
    const before = verdict.before?.[id];
    const costs = trials.flatMap(({ metrics }) => metrics["cost"] ?? []);
    const { low, high } = wilson(passed / of, of);
    return [
      id,
      of === 0 ? "" : countOf([passed, of]),
      of === 0 ? "" : rangeOf(low, high),
      before === undefined ? "" : countOf(before),
      before === undefined || of === 0 ? "" : points(passed / of - before[0] / before[1]),
      costs.length === 0 ? "" : money(sum(costs) / costs.length),
      remarksOf(found, verdict).join(", "),
    ];
  });
  return [["case", "passed", "95%", "before", "points", "cost/trial", ""], ...rows];
}

function remarksOf(found: CaseResult, { broken, flaky, before, added }: EvalRun["verdict"]): readonly string[] {
  const { id, trials, planned } = found;
  const errors = passedOf(found, "error");
  const invalid = passedOf(found, "invalid");
  return [
    broken.some((one) => one.id === id) && "broke",
    flaky.includes(id) && "flaky",
    before !== undefined && added.includes(id) && "new",
    errors > 0 && plural(errors, "error"),
    invalid > 0 && `${invalid} not judged`,
    trials.length < planned && `${planned - trials.length} not tried`,
  ].filter((remark) => remark !== false);
}

/** A row for each metric that was compared. */
export function metricRows({ verdict }: EvalRun): Rows {
  const rows = verdict.metrics.map(({ name, now, before, difference: { value, low, high }, isWorse, isGated }) => {
    const change = (by: number): string => {
      if (name === "passed") return points(by);
      // A sum of fractions is not quite 0.
      const size = Math.abs(by) < 1e-9 ? "0" : amount(name, Math.abs(by));
      return Number.parseFloat(size) === 0 ? "0" : `${by < 0 ? "−" : "+"}${size}`;
    };
    const isChanged = [value, low, high].some((by) => change(by) !== "0");
    const remark = isWorse ? (isGated ? "worse" : "worse, not gated") : "";
    return [
      name,
      amount(name, now),
      amount(name, before),
      isChanged ? `${change(value)} (${change(low)} to ${change(high)})` : "0",
      remark,
    ];
  });
  return [["metric", "now", "before", "change (95%)", ""], ...rows];
}

/** The suite's name, and the variant that was tried. */
export function titleOf({ suite, variant }: EvalRun): string {
  return variant === undefined ? suite : `${suite} (${variant})`;
}

/** A run's size, its code, and the models that answered. */
export function headOf({ cases, version, models, ms }: EvalRun): string {
  const trials = sum(cases.map((one) => one.trials.length));
  const worlds = [...new Set(cases.map(({ world }) => world))];
  const tree = `tree ${version.tree.slice(0, 8)}${version.hasChanges === true ? " with changes" : ""}`;
  const answered = models.map((model) => model.version ?? model.id);
  return [plural(cases.length, "case"), plural(trials, "trial"), ...worlds, ...answered, tree, seconds(ms)].join(", ");
}

/** The whole cost, in the unit of the prices. */
export function costOf({ cost }: EvalRun): string {
  const { agent, judges, users, total, unpriced } = cost;
  const split = judges + users === 0 ? "" : ` (agent ${money(agent)}, judges ${money(judges)}, users ${money(users)})`;
  const missing = unpriced === 0 ? [] : [`not known for ${plural(unpriced, "trial")} without prices`];
  return [...(missing.length > 0 && total === 0 ? [] : [money(total) + split]), ...missing].join(", ");
}

/** What cannot be seen in a run, and what its reader has to know. */
export function notesOf({ verdict, recordedShare, notFixed, notes }: EvalRun): readonly string[] {
  return [
    recordedShare !== undefined && `Recordings answered ${percent(recordedShare)} of the calls.`,
    notFixed.length > 0 && `Live under a recording, and not fixed: ${notFixed.join(", ")}.`,
    verdict.before !== undefined &&
      verdict.added.length > 0 &&
      `New or changed, and not compared: ${verdict.added.join(", ")}.`,
    verdict.missing.length > 0 && `In the baseline, and not run: ${verdict.missing.join(", ")}.`,
    ...notes,
  ].filter((note) => note !== false);
}

/**
 * The share that passes, with its interval on cases like these, and the chances that one, or each, of k trials of a case passes; k is 5, or as
 * many as each case has. Empty without trials.
 */
export function passLine({ cases, passed: { share, low, high } }: EvalRun): string {
  const counts = cases.map((found) => ({ passed: passedOf(found), trials: found.trials.length }));
  const k = Math.min(5, ...counts.map(({ trials }) => trials));
  const one = k < 1 ? undefined : passAtK(counts, k);
  const all = passHatK(counts, k);
  if (one === undefined || all === undefined) return "";
  const rate = `passed ${percent(share)} (${rangeOf(low, high)} on cases like these)`;
  return `${rate}, pass@${k} ${percent(one)}, pass^${k} ${percent(all)}`;
}

function amount(name: string, value: number): string {
  if (name === "passed") return percent(value);
  if (name === "durationMs") return seconds(value);
  return name === "cost" ? money(value) : String(Number(value.toPrecision(3)));
}

const rangeOf = (low: number, high: number): string => `${Math.round(low * 100)}–${percent(high)}`;

const money = (value: number): string => (value === 0 ? "0" : value.toFixed(Math.abs(value) < 1 ? 4 : 2));

const seconds = (ms: number): string => `${Number((ms / 1000).toPrecision(2))} s`;

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

function points(share: number): string {
  const value = Math.round(share * 100);
  return value === 0 ? "0" : `${value < 0 ? "−" : "+"}${Math.abs(value)}`;
}
