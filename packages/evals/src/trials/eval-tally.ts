import { ConfigurationError } from "@pollux/core";
import type { EvalSuite } from "../cases/eval-suite.ts";
import type { CaseResult, EvalCost } from "../report/eval-run.ts";
import { rateOfCasesLikeThese, sum } from "../statistics/rates.ts";
import { type PlannedCase, type TrialPlan, variantsOf } from "./plan-trials.ts";
import type { TrialOutcome } from "./read-trial.ts";
import type { EvalProgress, UnjudgedRun, VersionedOptions } from "./run-eval.ts";

/** What a tally begins with. */
export interface TallyStart extends VersionedOptions {
  readonly clock: () => number;
  /** Cost of preparing scorers. */
  readonly prepared: number;
}

/** Adds up the results and costs of trials. */
export class EvalTally<Expected> {
  readonly #suite: EvalSuite<Expected>;
  readonly #plan: TrialPlan<Expected>;
  readonly #start: TallyStart;
  readonly #at: number;
  readonly #outcomes = new Map<PlannedCase<Expected>, TrialOutcome[]>();
  /** By trial; only trials that cost something. */
  readonly #costs = new Map<string, number>();
  #running = 0;

  constructor(suite: EvalSuite<Expected>, plan: TrialPlan<Expected>, start: TallyStart) {
    this.#suite = suite;
    this.#plan = plan;
    this.#start = start;
    this.#at = start.clock();
  }

  /** @param trial - Its name. */
  paid(trial: string, cost: number): void {
    if (cost > 0) this.#costs.set(trial, cost);
  }

  begun(): void {
    this.#running += 1;
    this.#report();
  }

  /** @param outcome - Absent for an attempt that is made again. */
  ended(of: PlannedCase<Expected>, outcome: TrialOutcome | undefined): void {
    this.#running -= 1;
    if (outcome !== undefined) this.#outcomes.set(of, [...this.#outcomesOf(of), outcome]);
    this.#report();
    if (this.#budget !== undefined && outcome?.cost.isPriced === false)
      throw new ConfigurationError(
        `suite "${this.#suite.name}" has a budget, but the cost of a trial is not known: give the agent, judges and simulated users prices, such as googleListPrices`,
      );
  }

  /** Whether another trial fits into the budget beside those under way, at the mean so far. */
  hasRoom(): boolean {
    const budget = this.#budget;
    if (budget === undefined) return true;
    const mean = this.#costs.size === 0 ? 0 : sum([...this.#costs.values()]) / this.#costs.size;
    return this.#cost < budget && this.#cost + mean * (this.#running + 1) <= budget;
  }

  /** One for each variant. @param isDecided - Whether trials are missing because the others decide. */
  runs(isDecided = false): readonly UnjudgedRun[] {
    return variantsOf(this.#suite, this.#start).map((variant) => this.#runOf(variant, isDecided));
  }

  get #budget(): number | undefined {
    return this.#start.budget ?? this.#suite.gate?.budget;
  }

  get #cost(): number {
    return this.#start.prepared + sum([...this.#costs.values()]);
  }

  #outcomesOf(of: PlannedCase<Expected>): readonly TrialOutcome[] {
    return this.#outcomes.get(of) ?? [];
  }

  #report(): void {
    if (this.#start.onProgress === undefined) return;
    const { cases } = this.#plan;
    const all = cases.flatMap((one) => this.#outcomesOf(one));
    const [done, total] = [all.length, sum(cases.map(({ trials }) => trials))];
    const reused = all.filter(({ isReused }) => isReused).length;
    const spentMs = this.#start.clock() - this.#at;
    const progress: EvalProgress = {
      suite: this.#suite.name,
      done,
      total,
      reused,
      cases: cases.length,
      cost: this.#cost,
      ...(done > reused && { timeLeftMs: Math.round((spentMs / (done - reused)) * (total - done)) }),
    };
    this.#start.onProgress(progress);
  }

  #runOf(variant: string | undefined, isDecided: boolean): UnjudgedRun {
    const planned = this.#plan.cases.filter((one) => one.variant === variant);
    const all = planned.flatMap((one) => this.#outcomesOf(one));
    const counts = planned.flatMap((one) => {
      const outcomes = this.#outcomesOf(one);
      const { cluster } = one.one;
      return outcomes.length === 0
        ? []
        : [{ passed: outcomes.filter(isPassed).length, trials: outcomes.length, cluster }];
    });
    const { value, low, high } = counts.length === 0 ? { value: 0, low: 0, high: 1 } : rateOfCasesLikeThese(counts);
    const asked = sum(all.map((one) => one.asked));
    const left = sum(planned.map(({ trials }) => trials)) - all.length;
    const effects = distinct(all.flatMap((one) => one.effects));
    return {
      v: 1,
      id: `${new Date(this.#at).toISOString()}-${crypto.randomUUID().slice(0, 8)}`,
      suite: this.#suite.name,
      at: this.#at,
      ms: this.#start.clock() - this.#at,
      version: this.#start.version,
      ...(variant !== undefined && { variant }),
      models: distinct(all.flatMap(({ models }) => models)),
      cases: planned.map((one) => this.#caseResult(one)),
      passed: { share: value, low, high },
      cost: costOf(all, this.#start.prepared),
      ...(asked > 0 && { recordedShare: sum(all.map((one) => one.recorded)) / asked }),
      ...(left > 0 && { stopped: isDecided ? "it is decided" : "the budget is spent" }),
      notFixed: distinct(all.flatMap(({ notFixed }) => notFixed)),
      notes: [
        ...this.#plan.notes,
        ...(effects.length === 0 ? [] : [`Tools with effects really ran: ${effects.join(", ")}.`]),
      ],
    };
  }

  #caseResult(of: PlannedCase<Expected>): CaseResult {
    const { key, world, trials: planned } = of;
    const { id, tags = [], cluster } = of.one;
    const trials = this.#outcomesOf(of)
      .map(({ trial }) => trial)
      .toSorted((a, b) => a.number - b.number);
    return { id, key, world, tags, ...(cluster !== undefined && { cluster }), trials, planned };
  }
}

function isPassed({ trial }: TrialOutcome): boolean {
  return trial.status === "passed";
}

function costOf(all: readonly TrialOutcome[], prepared: number): EvalCost {
  const sumOf = (of: "agent" | "judges" | "users"): number => sum(all.map(({ cost }) => cost[of]));
  const known = { agent: sumOf("agent"), judges: sumOf("judges") + prepared, users: sumOf("users") };
  const unpriced = all.filter(({ cost }) => !cost.isPriced).length;
  return { ...known, total: sum(Object.values(known)), unpriced };
}

function distinct<Value>(values: readonly Value[]): readonly Value[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
