import type { GateOptions } from "../cases/eval-suite.ts";
import type { CaseResult, EvalRun, Verdict } from "../report/eval-run.ts";
import { sum } from "../statistics/rates.ts";
import { seenDrop } from "../statistics/seen-drop.ts";
import { worseCounts } from "../statistics/worse-counts.ts";
import { type Baseline, baselineOf, countsOf } from "./baseline.ts";
import { type ComparedCase, compareMetrics, countPair } from "./compare-metrics.ts";
import { verdictText } from "./verdict-text.ts";

type Run = Omit<EvalRun, "verdict">;

/**
 * Compares a run with its baseline. It is worse when Holm's correction finds a gated metric worse, or a case that
 * broke, at the gate's level, or when a replay differs. Cases are compared if their key and world are the baseline's.
 * If it can't be decided, the run is incomplete, unless it is worse regardless of the missing trials.
 */
export function judgeRun(run: Run, baseline?: Baseline, gate: GateOptions = {}): Verdict {
  const { level = 0.05 } = gate;
  const { now, compared, added, missing } = compareSides(run, baseline);
  const gated = gatedOf(run, gate);
  const found = compareMetrics(compared, gated);
  const ps = gated.map((name) => found.find((metric) => metric.name === name)?.p);
  const rejected = decide(compared, ps, level);
  const replays = run.cases.filter(differs).map(({ id }) => id);
  const unfinished = whyUnfinished(run, gate);
  const unknown = compared.length === 0 ? [] : gated.filter((_, index) => ps[index] === undefined);
  const reasons = [...unfinished, ...unknown.map((name) => `\`${name}\` is gated, and unknown on one side`)];
  const isWorse = unfinished.length > 0 ? isDecided(run, baseline, gate) : rejected.any || replays.length > 0;
  const isComparable = compared.length > 0 || run.cases.every(({ world }) => world === "replay");
  const drop = seenDrop(
    compared.map(({ id, before }) => ({ before: countsOf(before), trials: plannedOf(run, id) })),
    level / (gated.length + 1),
  );
  const verdict: Omit<Verdict, "text"> = {
    outcome: isWorse ? "worse" : reasons.length > 0 ? "incomplete" : isComparable ? "not-worse" : "no-baseline",
    metrics: found.map((metric) => ({
      ...metric,
      isWorse: rejected.metrics[gated.indexOf(metric.name)] ?? false,
      isGated: gated.includes(metric.name),
    })),
    broken: rejected.broken.map(({ id, now: { passed }, before }) => ({ id, passed, before: before.passed })),
    ...(baseline === undefined
      ? {}
      : { before: Object.fromEntries(compared.map(({ id, before }) => [id, before.passed])) }),
    flaky: now.filter(([, { passed }]) => passed[0] > 0 && passed[0] < passed[1]).map(([id]) => id),
    added,
    missing,
    ...(drop === undefined ? {} : { seenDrop: drop }),
  };
  return { ...verdict, text: verdictText({ run, baseline, verdict, replays, reasons, level }) };
}

/**
 * Whether an unfinished run is worse already, so that it may stop: even if its missing trials, and the ones with errors, all passed.
 * That a run will not be worse is only certain at its end, since errors could still make it incomplete.
 */
export function isDecided(run: Run, baseline: Baseline | undefined, gate: GateOptions = {}): boolean {
  if (run.cases.some(differs)) return true;
  const { compared } = compareSides({ ...run, cases: run.cases.map(bestOf) }, baseline);
  const passed = worseCounts(compared.map(countPair));
  // Other metrics of missing trials are unknown.
  const ps = gatedOf(run, gate).map((name) => (name === "passed" ? passed : undefined));
  return decide(compared, ps, gate.level ?? 0.05).any;
}

/** A process's exit code for a verdict: 0 not worse or without a baseline, 1 worse, 3 incomplete. 2 is wrong usage. */
export function exitCode({ outcome }: Pick<Verdict, "outcome">): 0 | 1 | 3 {
  return outcome === "worse" ? 1 : outcome === "incomplete" ? 3 : 0;
}

/** The gate's metrics that may fail a build: advisory judges may not. */
function gatedOf({ cases }: Run, { metrics = ["passed"] }: GateOptions): string[] {
  const scores = cases.flatMap(({ trials }) => trials.flatMap((trial) => trial.scores));
  const advisory = new Set(scores.filter(({ isAdvisory }) => isAdvisory).map(({ name }) => name));
  return [...new Set(metrics)].filter((name) => !advisory.has(name));
}

/**
 * Holm's correction over the metrics' p and, as one more hypothesis, the smallest p of a case times the number of cases. A p that is not known
 * rejects nothing.
 */
function decide(cases: readonly ComparedCase[], ps: readonly (number | undefined)[], level: number) {
  const ofCases = cases.map((compared) => cases.length * worseCounts([countPair(compared)]));
  const rejected = holm([...ps.map((p) => p ?? 1), Math.min(1, ...ofCases)], level);
  // What the correction leaves of the level for other cases: all of it, once every metric is worse.
  const left = level / (1 + ps.filter((_, index) => rejected[index] !== true).length);
  return {
    any: rejected.includes(true),
    metrics: rejected.slice(0, -1),
    broken: rejected.at(-1) === true ? cases.filter((_, index) => (ofCases[index] ?? 1) <= left) : [],
  };
}

/**
 * Which of several hypotheses are rejected, so that a true one is rejected in at most a share `level` of repetitions.
 *
 * @returns for each p, in its order
 * @see Holm 1979
 */
export function holm(ps: readonly number[], level: number): boolean[] {
  const rejected = ps.map(() => false);
  const order = [...ps.keys()].toSorted((a, b) => (ps[a] ?? 1) - (ps[b] ?? 1));
  for (const [rank, index] of order.entries()) {
    if ((ps[index] ?? 1) > level / (ps.length - rank)) break;
    rejected[index] = true;
  }
  return rejected;
}

function compareSides(run: Run, baseline: Baseline | undefined) {
  const now = Object.entries(baselineOf(run).cases);
  const compared = now.flatMap(([id, record]) => {
    const before = baseline !== undefined && Object.hasOwn(baseline.cases, id) ? baseline.cases[id] : undefined;
    return before?.key === record.key && before.world === record.world ? [{ id, now: record, before }] : [];
  });
  return {
    now,
    compared,
    added: now.map(([id]) => id).filter((id) => !compared.some((one) => one.id === id)),
    missing: Object.keys(baseline?.cases ?? {}).filter((id) => !run.cases.some((result) => result.id === id)),
  };
}

function differs({ world, trials }: CaseResult): boolean {
  return world === "replay" && trials.some(({ status }) => status === "failed");
}

/** A case as if its missing trials, and the ones that ended with an error, had passed. */
function bestOf(result: CaseResult): CaseResult {
  const judged = result.trials.filter(({ status }) => status !== "error");
  const best = Array.from({ length: Math.max(result.planned, result.trials.length) - judged.length }, (_, index) => ({
    number: judged.length + index + 1,
    status: "passed" as const,
    scores: [],
    metrics: {},
    answer: "",
  }));
  return { ...result, trials: [...judged, ...best] };
}

/** Planned trials of a case, at least 1. */
function plannedOf({ cases }: Run, id: string): number {
  return Math.max(1, cases.find((result) => result.id === id)?.planned ?? 1);
}

function whyUnfinished({ cases, stopped }: Run, { errors = 0.05 }: GateOptions): string[] {
  const trials = cases.flatMap((result) => result.trials);
  const failed = trials.filter(({ status }) => status === "error").length;
  const planned = sum(cases.map((result) => Math.max(result.planned, result.trials.length)));
  const missing = planned - trials.length;
  const unjudged = cases.filter(
    ({ world, trials: replays }) => world === "replay" && replays.some(({ status }) => status === "invalid"),
  );
  return [
    ...(planned === 0 ? ["no case was tried"] : []),
    ...(missing > 0
      ? [`${missing} of ${planned} trials are missing${stopped === undefined ? "" : `, since ${stopped}`}`]
      : []),
    ...(failed > errors * trials.length
      ? [`${failed} of ${trials.length} trials ended with an error, more than ${Math.round(errors * 100)}%`]
      : []),
    ...(unjudged.length > 0
      ? [`the replay of ${unjudged.map(({ id }) => `\`${id}\``).join(", ")} could not be compared`]
      : []),
  ];
}
