import type { GateOptions } from "../cases/eval-suite.ts";
import type { CaseResult, EvalRun, Verdict } from "../report/eval-run.ts";
import { holm } from "../statistics/holm.ts";
import { seenDrop } from "../statistics/seen-drop.ts";
import { worseCounts } from "../statistics/worse-counts.ts";
import { type Baseline, type CaseRecord, baselineOf } from "./baseline.ts";
import { type ComparedCase, compareMetrics, countsOf } from "./compare-metrics.ts";
import { verdictText } from "./verdict-text.ts";

type Run = Omit<EvalRun, "verdict">;

/**
 * Compares a run with its baseline. It is worse when Holm's correction finds a gated metric worse, or a case that broke, at the gate's level, or when a
 * replay differs. Cases are compared if their key and world are the baseline's. What can't be told is incomplete, unless the run is worse whatever the
 * missing trials had been.
 *
 * @param stopped why trials are missing, such as "the budget of 2 is spent"
 */
export function judgeRun(run: Run, baseline: Baseline | undefined, gate: GateOptions = {}, stopped?: string): Verdict {
  const { level = 0.05, metrics: gated = ["passed"] } = gate;
  const sides = compareSides(run, baseline);
  const isAdvisory = new Set(
    run.cases.flatMap(({ trials }) =>
      trials.flatMap(({ scores }) => scores.filter((score) => score.isAdvisory).map(({ name }) => name)),
    ),
  );
  const gating = [...new Set(gated)].filter((name) => !isAdvisory.has(name));
  const found = compareMetrics(sides.compared, gating);
  const rejected = decide(
    sides.compared,
    gating.map((name) => found.find((metric) => metric.name === name)?.p ?? 1),
    level,
  );
  const metrics = found.map((metric) => ({
    ...metric,
    isWorse: rejected.metrics[gating.indexOf(metric.name)] ?? false,
    isGated: gating.includes(metric.name),
  }));
  const unfinished = whyUnfinished(run, gate, stopped);
  const unknown =
    sides.compared.length === 0 ? [] : gating.filter((name) => !found.some((metric) => metric.name === name));
  const replays = run.cases.filter(differs).map(({ id }) => id);
  const isWorse = unfinished.length === 0 ? rejected.any || replays.length > 0 : isDecided(run, baseline, gate);
  const reasons = [...unfinished, ...unknown.map((name) => `\`${name}\` is gated, and unknown on one side`)];
  const areReplaysAll = run.cases.length > 0 && run.cases.every(({ world }) => world === "replay");
  const planned = sides.compared.map(({ id, before: { passed } }) => ({
    before: { passed: passed[0], trials: passed[1] },
    trials: Math.max(1, run.cases.find((result) => result.id === id)?.planned ?? 1),
  }));
  const drop = seenDrop(planned, level / (gating.length + 1));
  const verdict = {
    outcome: isWorse
      ? ("worse" as const)
      : reasons.length > 0
        ? ("incomplete" as const)
        : sides.compared.length === 0 && !areReplaysAll
          ? ("no-baseline" as const)
          : ("not-worse" as const),
    metrics,
    broken: rejected.broken.map(({ id, now, before }) => ({ id, passed: now.passed, before: before.passed })),
    ...(baseline === undefined
      ? {}
      : { before: Object.fromEntries(sides.compared.map(({ id, before }) => [id, before.passed])) }),
    flaky: sides.now
      .filter(
        ([
          ,
          {
            passed: [passed, trials],
          },
        ]) => passed > 0 && passed < trials,
      )
      .map(([id]) => id),
    added: sides.added,
    missing: sides.missing,
    ...(drop === undefined ? {} : { seenDrop: drop }),
  };
  return { ...verdict, text: verdictText({ run, baseline, verdict, replays, reasons, level }) };
}

/**
 * Whether a run that is not over is worse whatever its other trials bring, so that it may stop: even if they, and those with errors, all passed.
 * That a run will not be worse is only certain at its end, since errors could still make it incomplete.
 */
export function isDecided(run: Run, baseline: Baseline | undefined, gate: GateOptions = {}): boolean {
  if (run.cases.some(differs)) return true;
  const best = compareSides(run, baseline).compared.map((compared) => ({ ...compared, now: bestOf(run, compared) }));
  // A metric whose missing values are unknown counts as not worse.
  const metrics = gate.metrics ?? ["passed"];
  const p = worseCounts(best.map(countsOf));
  return decide(
    best,
    metrics.map((name) => (name === "passed" ? p : 1)),
    gate.level ?? 0.05,
  ).any;
}

/** A process's exit code for a verdict: 0 not worse or without a baseline, 1 worse, 3 incomplete. 2 is wrong usage. */
export function exitCode({ outcome }: Pick<Verdict, "outcome">): 0 | 1 | 3 {
  return outcome === "worse" ? 1 : outcome === "incomplete" ? 3 : 0;
}

/** Holm's correction over the metrics' p, and the smallest p of a case times the number of cases, as one more hypothesis. */
function decide(
  cases: readonly ComparedCase[],
  ps: readonly number[],
  level: number,
): { readonly any: boolean; readonly metrics: readonly boolean[]; readonly broken: readonly ComparedCase[] } {
  const ofCases = cases.map((compared) => cases.length * worseCounts([countsOf(compared)]));
  const rejected = holm([...ps, Math.min(1, ...ofCases)], level);
  // What Holm's correction left of the level for the cases: all of it, once every metric is worse.
  const left = level / (1 + ps.filter((_, index) => rejected[index] !== true).length);
  return {
    any: rejected.includes(true),
    metrics: rejected.slice(0, -1),
    broken: rejected.at(-1) === true ? cases.filter((_, index) => (ofCases[index] ?? 1) <= left) : [],
  };
}

function compareSides(
  run: Run,
  baseline: Baseline | undefined,
): {
  readonly now: readonly [string, CaseRecord][];
  readonly compared: readonly ComparedCase[];
  readonly added: readonly string[];
  readonly missing: readonly string[];
} {
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

/** A case's record, had trials that are missing or ended with an error passed. */
function bestOf(run: Run, { id, now }: ComparedCase): CaseRecord {
  const result = run.cases.find((one) => one.id === id);
  const failed = result?.trials.filter(({ status }) => status === "failed" || status === "invalid").length ?? 0;
  const trials = Math.max(result?.planned ?? 0, now.passed[1]);
  return { ...now, passed: [trials - failed, trials] };
}

function whyUnfinished({ cases }: Run, { errors = 0.05 }: GateOptions, stopped: string | undefined): string[] {
  const trials = cases.flatMap((result) => result.trials);
  const failed = trials.filter(({ status }) => status === "error").length;
  const planned = cases.reduce((sum, result) => sum + Math.max(result.planned, result.trials.length), 0);
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
      ? [`${failed} of ${trials.length} trials ended with an error, more than ${Math.round(errors * 100)} %`]
      : []),
    ...(unjudged.length > 0
      ? [`no comparison of the replay of ${unjudged.map(({ id }) => `\`${id}\``).join(", ")}`]
      : []),
  ];
}
