import { ApiStatusError, ConfigurationError, MemoryStore, type SessionStore } from "@pollux/core";
import { QuotaReachedError } from "@pollux/core/errors";
import { checkOptions, namesIn, type OptionNames } from "@pollux/core/wire";
import { checkCount, failing } from "../cases/define-eval.ts";
import type { EvalSuite } from "../cases/eval-suite.ts";
import type { CaseFilter } from "../cases/filter-cases.ts";
import { codeVersion } from "../report/code-version.ts";
import type { CodeVersion, EvalRun } from "../report/eval-run.ts";
import { replayCase, replayTrial } from "../worlds/replay-trial.ts";
import { recordedAt } from "../worlds/trial-world.ts";
import type { World } from "../worlds/world.ts";
import { EvalTally } from "./eval-tally.ts";
import { makeTrial, openAgent, type TrialSetting } from "./make-trial.ts";
import {
  allScorers,
  beginAnew,
  findTrials,
  isSimulated,
  listJobs,
  nameOf,
  type PlannedCase,
  planTrials,
  type TrialJob,
} from "./plan-trials.ts";
import { readTrial, type TrialOutcome } from "./read-trial.ts";
import { scoreTrial } from "./score-trial.ts";

/** Options of {@link runEval}. */
export interface RunEvalOptions {
  /**
   * Version of the agent's code: its earlier trials are read again, and only missing ones are made.
   *
   * @defaultValue `codeVersion(folder)`
   */
  readonly version?: CodeVersion | undefined;
  /** Where trials are kept. @defaultValue in memory */
  readonly store?: SessionStore | undefined;
  /** Number of trials of each case. @defaultValue the suite's */
  readonly trials?: number | undefined;
  /** Makes as many trials as a baseline needs. @defaultValue false */
  readonly baseline?: boolean | undefined;
  /** World of all cases; cases without data for it are left out. @defaultValue the suite's */
  readonly world?: World | undefined;
  /** @defaultValue all cases */
  readonly filter?: CaseFilter | undefined;
  /** Some of the suite's. @defaultValue all of them */
  readonly variants?: readonly string[] | undefined;
  /**
   * Limit of the run's cost, including trials of this version that are read again: agent, judges and simulated users. No trial begins that would, at
   * the mean so far, exceed it. Needs prices. @defaultValue the suite's `gate.budget`
   */
  readonly budget?: number | undefined;
  /** Called after each trial: once it is true for the runs of all variants, no further trial begins. Such as `isDecided()`. @defaultValue never */
  readonly isDecided?: ((run: UnjudgedRun) => boolean) | undefined;
  /** Repeats trials that this version has already made. @defaultValue false */
  readonly fresh?: boolean | undefined;
  /** Trials at the same time. @defaultValue the suite's */
  readonly concurrency?: number | undefined;
  /** Folder of the suite's file, for relative paths of scorers. @defaultValue "." */
  readonly folder?: string | undefined;
  /** Ends the run: finished work is kept, and the same call continues from there. */
  readonly signal?: AbortSignal | undefined;
  /** Called when a trial begins or is over; must not throw. */
  readonly onProgress?: ((progress: EvalProgress) => void) | undefined;
  /** The clock, in milliseconds since the epoch; also used for durations. @defaultValue Date.now */
  readonly now?: (() => number) | undefined;
}

/** Progress of a run. Plain JSON. */
export interface EvalProgress {
  readonly suite: string;
  /** Trials that are over. */
  readonly done: number;
  readonly total: number;
  /** Finished trials that were read again, without a request of the agent. */
  readonly reused: number;
  readonly cases: number;
  /** Cost of agent, judges and simulated users so far. */
  readonly cost: number;
  /** Milliseconds that are left at the pace so far; absent before the first trial was made. */
  readonly timeLeftMs?: number | undefined;
}

/** The options, with a version. */
export interface VersionedOptions extends RunEvalOptions {
  readonly version: CodeVersion;
}

/** A run before it is compared with its baseline, by `judgeRun()`. */
export type UnjudgedRun = Omit<EvalRun, "verdict">;

const OPTIONS: OptionNames<RunEvalOptions> = namesIn(
  "version store trials baseline world filter variants budget isDecided fresh concurrency folder signal onProgress now",
);

/** Further attempts of a trial that failed with an error. */
const RETRIES = 2;

/**
 * Tries the cases of a suite, and scores the trials: the first one of all cases, then the second. Trials are sessions
 * in the store: interrupted ones continue, and trials of this version are reused, with other scorers, too.
 *
 * Without core's `map`: an agent is made for each trial, a trial may be several runs, and its place in the order depends on others.
 *
 * @returns A run for each variant; just one without any.
 * @throws Errors that would fail every trial: a wrong setting, a refused key, the day's quota. And the signal's reason.
 */
export async function runEval<Expected>(
  suite: EvalSuite<Expected>,
  given: RunEvalOptions = {},
): Promise<readonly UnjudgedRun[]> {
  checkOptions("runEval()", given, OPTIONS);
  for (const name of ["trials", "concurrency"] as const) checkCount(failing("runEval()"), name, given[name]);
  const options = { ...given, version: given.version ?? (await codeVersion(given.folder)) };
  const { store = new MemoryStore(), now: clock = Date.now, concurrency = suite.concurrency ?? 4 } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  signal.throwIfAborted();
  let prepared = 0;
  const about: string[] = [];
  for (const { prepare } of await allScorers(suite)) {
    const { cost = 0, note } = { ...(await prepare?.({ folder: options.folder ?? ".", signal })) };
    prepared += cost;
    if (note !== undefined) about.push(note);
  }
  const planned = await planTrials(suite, options);
  const plan = { ...planned, notes: [...about, ...planned.notes] };
  const found = await findTrials(suite, options, store);
  const queue = listJobs(suite, plan.cases, found, options.fresh === true);
  const tally = new EvalTally(suite, plan, { ...options, clock, prepared });
  for (const job of queue) tally.paid(nameOf(job), job.cost + job.lost);
  /** Cases whose first trial is over: their requests are in the service's cache. */
  const warm = new Set<PlannedCase<Expected>>();
  let isDecided = false;

  const work = async (job: TrialJob<Expected>): Promise<void> => {
    tally.begun();
    const outcome = await tryJob(job, { store, signal, clock });
    const isOver = "trial" in outcome;
    const paid = isOver ? outcome.cost : { agent: outcome.cost, judges: 0, users: outcome.lost };
    tally.paid(nameOf(job), paid.agent + paid.judges + paid.users);
    tally.ended(job.plan, isOver ? outcome : undefined);
    if (!isOver) queue.push(outcome);
    else warm.add(job.plan);
    isDecided = options.isDecided !== undefined && tally.runs().every(options.isDecided);
  };
  const next = (): TrialJob<Expected> | undefined => {
    const hasRoom = tally.hasRoom();
    const at = queue.findIndex(
      ({ plan: of, number, kept }) =>
        (kept?.isOver === true || (hasRoom && !isDecided)) && (of.world !== "fork" || number === 1 || warm.has(of)),
    );
    return at === -1 ? undefined : queue.splice(at, 1)[0];
  };
  const running = new Set<Promise<void>>();
  try {
    while (!signal.aborted) {
      const job = running.size < concurrency ? next() : undefined;
      if (job !== undefined) {
        const begun: Promise<void> = work(job).finally(() => running.delete(begun));
        running.add(begun);
      } else if (running.size > 0) await Promise.race(running);
      else break;
    }
    signal.throwIfAborted();
    return tally.runs(isDecided);
  } finally {
    stop.abort(new Error("The eval has ended."));
    await Promise.allSettled(running);
  }
}

/** @returns The job to do next if this one failed with an error that may be temporary. */
async function tryJob<Expected>(
  job: TrialJob<Expected>,
  setting: TrialSetting,
): Promise<TrialOutcome | TrialJob<Expected>> {
  const { suite, plan, attempt } = job;
  const { one, world } = plan;
  if (world === "replay" && "recording" in one) {
    const at = recordedAt(one);
    const agent = await openAgent({ ...job, ...plan }, () => at ?? setting.clock());
    const trial = replayTrial(await replayCase(agent, one, { context: suite.context, signal: setting.signal }));
    const cost = { agent: 0, judges: 0, users: 0, isPriced: true };
    return { trial, isReused: false, cost, models: [], asked: 0, recorded: 0, notFixed: [], effects: [] };
  }
  const isReused = job.kept?.isOver === true;
  const made = await makeTrial(job, setting);
  if (made.error !== undefined) {
    if (failsAll(made.error)) throw made.error;
    const again = { ...job, attempt: attempt + 1, isBegun: true, kept: made.kept, cost: made.kept.cost };
    if (attempt <= RETRIES) return isSimulated(plan) ? beginAnew(again) : again;
  }
  const read = readTrial(job, made, setting.signal);
  const { outcome } = read;
  const cost = { ...outcome.cost, agent: outcome.cost.agent + job.lost };
  if (read.trial === undefined) return { ...outcome, isReused, cost };
  const scored = await scoreTrial(read.trial, plan.scorers, made.kept.paid);
  const judgeCost = (made.kept.judgeCost ?? 0) + scored.cost;
  if (scored.paid !== undefined) await made.keep({ ...made.kept, judgeCost, paid: scored.paid });
  const { status, why, scores } = scored;
  return {
    ...outcome,
    isReused,
    trial: { ...outcome.trial, status, ...(why !== undefined && { why }), scores },
    cost: { ...cost, judges: judgeCost, isPriced: cost.isPriced && scored.isPriced },
  };
}

/** Whether every other trial would fail in the same way. */
function failsAll(error: unknown): boolean {
  if (error instanceof ConfigurationError || error instanceof QuotaReachedError) return true;
  return (
    error instanceof ApiStatusError && (error.status === 401 || error.status === 403 || error.resetsAt !== undefined)
  );
}
