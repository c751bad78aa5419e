import { ConfigurationError } from "@pollux/core";
import type { EvalSuite } from "../cases/eval-suite.ts";
import type { CaseResult, EvalCost, TrialResult } from "../report/eval-run.ts";
import { rateOfCasesLikeThese } from "../statistics/rates.ts";
import { type PlannedCase, type TrialPlan, variantsOf } from "./plan-trials.ts";
import type { JobOutcome, VersionedOptions, UnjudgedRun } from "./run-eval.ts";

/** Counts what trials have come to and cost, and puts it together. */
export interface EvalTally<Expected> {
  begin(): void;
  /**
   * @param paid - What was known to be paid for it when it began.
   * @param outcome - Or what was paid for an attempt that is made again.
   */
  settle(plan: PlannedCase<Expected>, paid: number, outcome: JobOutcome | number): void;
  /** Whether another trial fits into the budget beside those under way, at the mean so far. */
  hasRoom(): boolean;
  runs(): readonly UnjudgedRun[];
}

export function openTally<Expected>(
  suite: EvalSuite<Expected>,
  plan: TrialPlan<Expected>,
  options: VersionedOptions & {
    readonly clock: () => number;
    /** Cost of preparing scorers. */
    readonly prepared: number;
    /** What earlier calls have paid, for each of their trials. */
    readonly paid: readonly number[];
  },
): EvalTally<Expected> {
  const { clock, prepared, version, onProgress, budget = suite.gate?.budget } = options;
  const at = clock();
  const outcomes = new Map<PlannedCase<Expected>, JobOutcome[]>(plan.cases.map((one) => [one, []]));
  const total = plan.cases.reduce((sum, { trials }) => sum + trials, 0);
  let running = 0;
  let done = 0;
  let reused = 0;
  let passed = 0;
  /** Of trials that are over, and what is known of the others. */
  let settled = 0;
  let open = options.paid.reduce((sum, one) => sum + one, 0);
  let paidTrials = options.paid.filter((one) => one > 0).length;

  const report = (): void => {
    const made = done - reused;
    const timeLeftMs = made === 0 ? undefined : Math.round(((clock() - at) / made) * (total - done));
    onProgress?.({
      suite: suite.name,
      done,
      total,
      reused,
      passed,
      running,
      cases: plan.cases.length,
      cost: prepared + settled + open,
      ...(timeLeftMs !== undefined && { timeLeftMs }),
    });
  };

  const runOf = (variant: string | undefined): UnjudgedRun => {
    const cases = plan.cases.filter((one) => one.variant === variant);
    const all = cases.flatMap((one) => outcomes.get(one) ?? []);
    const results = cases.map((one) =>
      caseResult(
        one,
        (outcomes.get(one) ?? []).map(({ trial }) => trial),
      ),
    );
    const tried = results.filter(({ trials }) => trials.length > 0);
    const {
      value = 0,
      low = 0,
      high = 1,
    } = tried.length === 0
      ? {}
      : rateOfCasesLikeThese(
          tried.map(({ trials, cluster }) => ({
            passed: trials.filter(({ status }) => status === "passed").length,
            trials: trials.length,
            cluster,
          })),
        );
    const calls = all.flatMap((one) => (one.calls === undefined ? [] : [one.calls]));
    const [recorded, asked] = calls.reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
    return {
      v: 1,
      id: `${new Date(at).toISOString()}-${crypto.randomUUID().slice(0, 8)}`,
      suite: suite.name,
      at,
      ms: clock() - at,
      version,
      ...(variant !== undefined && { variant }),
      models: distinct(all.flatMap(({ models }) => models)),
      cases: results,
      passed: { share: value, low, high },
      cost: costOf(all, prepared),
      ...(asked > 0 && { recordedShare: recorded / asked }),
      notFixed: distinct(all.flatMap(({ notFixed }) => notFixed)),
      notes: [...plan.notes, ...notesOf(all, results, budget)],
    };
  };

  return {
    begin() {
      running += 1;
      report();
    },
    settle(one, paid, outcome) {
      running -= 1;
      open -= paid;
      if (paid > 0) paidTrials -= 1;
      if (typeof outcome === "number") {
        open += outcome;
        if (outcome > 0) paidTrials += 1;
      } else {
        const { trial, isReused, cost } = outcome;
        outcomes.get(one)?.push(outcome);
        done += 1;
        if (isReused) reused += 1;
        if (trial.status === "passed") passed += 1;
        settled += cost.agent + cost.judges + cost.users;
        if (budget !== undefined && !cost.isPriced)
          throw new ConfigurationError(
            `suite "${suite.name}" has a budget, and what a trial costs is not known: give the agent and simulated users prices, such as googleListPrices`,
          );
      }
      report();
    },
    hasRoom() {
      if (budget === undefined) return true;
      const spent = prepared + settled + open;
      const known = done + paidTrials;
      const mean = known === 0 ? 0 : (settled + open) / known;
      return spent < budget && spent + mean * (running + 1) <= budget;
    },
    runs: () => variantsOf(suite, options).map(runOf),
  };
}

function caseResult<Expected>(
  { one, key, world, trials: planned }: PlannedCase<Expected>,
  trials: readonly TrialResult[],
): CaseResult {
  const { id, tags = [], cluster } = one;
  const sorted = trials.toSorted((a, b) => a.number - b.number);
  return { id, key, world, tags, ...(cluster !== undefined && { cluster }), trials: sorted, planned };
}

function costOf(all: readonly JobOutcome[], prepared: number): EvalCost {
  const sumOf = (name: "agent" | "judges" | "users"): number => all.reduce((sum, { cost }) => sum + cost[name], 0);
  const [agent, judges, users] = [sumOf("agent"), sumOf("judges") + prepared, sumOf("users")];
  const unpriced = all.filter(({ cost }) => !cost.isPriced).length;
  return { agent, judges, users, total: agent + judges + users, unpriced };
}

function notesOf(
  all: readonly JobOutcome[],
  cases: readonly CaseResult[],
  budget: number | undefined,
): readonly string[] {
  const effects = distinct(all.flatMap((one) => one.effects));
  const planned = cases.reduce((sum, one) => sum + one.planned, 0);
  return [
    ...(effects.length === 0 ? [] : [`Tools with effects really ran: ${effects.join(", ")}.`]),
    ...(all.length < planned
      ? [`The budget of ${budget} is spent: ${all.length} of ${planned} trials were made.`]
      : []),
  ];
}

function distinct<Value>(values: readonly Value[]): readonly Value[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
