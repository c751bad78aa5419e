import type { SessionStore } from "@pollux/core";
import { caseKey, trialKey } from "../cases/case-key.ts";
import { readCases } from "../cases/define-eval.ts";
import type { AnyCase } from "../cases/eval-case.ts";
import type { EvalSuite } from "../cases/eval-suite.ts";
import { filterCases } from "../cases/filter-cases.ts";
import { recordedAt } from "../worlds/trial-world.ts";
import type { World } from "../worlds/world.ts";
import { type KeptTrial, openAgent } from "./make-trial.ts";
import type { VersionedOptions } from "./run-eval.ts";
import type { Scorer } from "./trial.ts";

/** A case in one world, for one variant. */
export interface PlannedCase<Expected> {
  readonly one: AnyCase<Expected>;
  readonly world: World;
  readonly variant: string | undefined;
  readonly scorers: readonly Scorer<Expected>[];
  readonly key: string;
  /** Number of its trials. */
  readonly trials: number;
  /** Its trials' sessions have this, the number and perhaps `@2` as their ids. */
  readonly prefix: string;
}

export interface TrialPlan<Expected> {
  readonly cases: readonly PlannedCase<Expected>[];
  /** The parts of the suite that are not tried, in sentences. */
  readonly notes: readonly string[];
}

/** What a rerun knows about a trial. */
export interface FoundTrial {
  readonly sessionId: string;
  /** From 1; higher if the trial was repeated. */
  readonly generation: number;
  /** The store has its session. */
  readonly isBegun: boolean;
  readonly kept?: KeptTrial | undefined;
  /** Cost of agent, judges and simulated user so far. */
  readonly cost: number;
}

/** A trial to make, or to read again. */
export interface TrialJob<Expected> extends FoundTrial {
  readonly suite: EvalSuite<Expected>;
  readonly plan: PlannedCase<Expected>;
  /** From 1. */
  readonly number: number;
  /** From 1; higher after an error. */
  readonly attempt: number;
  /** Cost of conversations with a simulated user that were cut off: they can't be continued. */
  readonly lost: number;
}

/** Which trials a run has. Scorers are prepared before: calibrated judges have another key. */
export async function planTrials<Expected>(
  suite: EvalSuite<Expected>,
  options: VersionedOptions,
): Promise<TrialPlan<Expected>> {
  const { trials = 5, baselineTrials = 3 * trials } = { ...suite, ...(options.trials && { trials: options.trials }) };
  const cases: PlannedCase<Expected>[] = [];
  const left = new Map<string, string[]>();
  const chosen = filterCases(await readCases(suite), options.filter ?? {}, suite);
  const services = new Map<string | undefined, string>();
  for (const variant of variantsOf(suite, options)) services.set(variant, await findService(suite, chosen[0], variant));
  for (const one of chosen) {
    const isRecorded = "recording" in one;
    const world = options.world ?? suite.world ?? (isRecorded ? "recorded-tools" : "live");
    const lacks = !isRecorded && world !== "live" ? "a recording" : undefined;
    const lacksTurn = world === "fork" && isRecorded && one.turn === undefined ? "a turn to fork at" : undefined;
    const why = lacks ?? lacksTurn;
    if (why !== undefined) {
      left.set(`${world}, which needs ${why}`, [...(left.get(`${world}, which needs ${why}`) ?? []), one.id]);
      continue;
    }
    const scorers = [...(suite.scorers ?? []), ...(one.scorers ?? [])];
    if (scorers.length === 0 && world !== "replay")
      throw new TypeError(`suite "${suite.name}", case "${one.id}": it has no scorers; add some to it or to the suite`);
    const key = caseKey(one, scorers);
    const path = `${trialPrefix(suite, options)}${one.id}.${trialKey(one)}/${world}`;
    for (const [variant, service] of services)
      cases.push({
        one,
        world,
        variant,
        scorers,
        key,
        // The requests are the same each time.
        trials: world === "replay" ? 1 : options.baseline === true ? baselineTrials : trials,
        prefix: `${path}/${service}/${variant ?? "-"}/`,
      });
  }
  const notes = [...left].map(([where, ids]) => `Left out of the world ${where}: ${ids.join(", ")}.`);
  return { cases, notes };
}

/** Where the agent's model is: what an emulator has answered says nothing about the service. */
async function findService<Expected>(
  suite: EvalSuite<Expected>,
  one: AnyCase<Expected> | undefined,
  variant: string | undefined,
): Promise<string> {
  if (one === undefined) return "-";
  const at = "recording" in one ? recordedAt(one) : undefined;
  const { model } = await openAgent({ suite, one, number: 1, variant }, () => at ?? Date.now());
  const { endpoint = model.id } = model.origin ?? {};
  // Without the port, which an emulator may have for one process only.
  return URL.canParse(endpoint) ? new URL(endpoint).hostname : endpoint.replaceAll(/[^\w.-]/g, "-");
}

/** The trials of this version that are in the store, by the id of their first generation. */
export async function findTrials<Expected>(
  suite: EvalSuite<Expected>,
  options: VersionedOptions,
  store: SessionStore,
): Promise<ReadonlyMap<string, FoundTrial>> {
  const found = new Map<string, FoundTrial>();
  const filter = { prefix: trialPrefix(suite, options), order: "id" } as const;
  for (let page = await store.list(filter); page.length > 0;) {
    for (const { id, metadata } of page) {
      const [first = id, generation = "1"] = id.split("@");
      if ((found.get(first)?.generation ?? 0) > Number(generation)) continue;
      const text = metadata?.["trial"];
      // As makeTrial() wrote it.
      const kept = text === undefined ? undefined : (JSON.parse(text) as KeptTrial);
      const { cost = 0, userCost = 0, judgeCost = 0 } = kept ?? {};
      found.set(first, {
        sessionId: id,
        generation: Number(generation),
        isBegun: true,
        ...(kept && { kept }),
        cost: cost + userCost + judgeCost,
      });
    }
    page = await store.list({ ...filter, after: page.at(-1) });
  }
  return found;
}

/** Trial 1 of all cases, then 2; variants side by side. */
export function listJobs<Expected>(
  suite: EvalSuite<Expected>,
  cases: readonly PlannedCase<Expected>[],
  found: ReadonlyMap<string, FoundTrial>,
  isFresh: boolean,
): TrialJob<Expected>[] {
  const most = Math.max(0, ...cases.map(({ trials }) => trials));
  return Array.from({ length: most }, (_, index) => index + 1).flatMap((number) =>
    cases
      .filter(({ trials }) => number <= trials)
      .map((plan) => {
        const sessionId = nameOf({ plan, number });
        const known = found.get(sessionId) ?? { sessionId, generation: 1, isBegun: false, cost: 0 };
        const job: TrialJob<Expected> = { suite, plan, number, attempt: 1, lost: 0, ...known };
        if (!known.isBegun) return job;
        if (known.kept?.isOver !== true && isSimulated(plan)) return beginAnew(job);
        return isFresh ? { ...beginAnew(job), lost: 0 } : job;
      }),
  );
}

/** The same trial, in another session. */
export function beginAnew<Expected>(job: TrialJob<Expected>): TrialJob<Expected> {
  const generation = job.generation + 1;
  const lost = job.lost + job.cost;
  const sessionId = `${nameOf(job)}@${generation}`;
  return { ...job, lost, sessionId, generation, isBegun: false, kept: undefined, cost: 0 };
}

export function isSimulated<Expected>({ one }: PlannedCase<Expected>): boolean {
  return !("recording" in one) && typeof one.input === "object" && "kind" in one.input;
}

/** Name of a trial, the same in all its generations. */
export function nameOf({
  plan,
  number,
}: {
  readonly plan: { readonly prefix: string };
  readonly number: number;
}): string {
  return `${plan.prefix}${number}`;
}

/** @throws {TypeError} For a variant that the suite does not have. */
export function variantsOf<Expected>(
  suite: EvalSuite<Expected>,
  options: VersionedOptions,
): readonly (string | undefined)[] {
  const all = suite.variants ?? [];
  const unknown = options.variants?.find((variant) => !all.includes(variant));
  if (unknown !== undefined)
    throw new TypeError(
      `suite "${suite.name}" has no variant "${unknown}"${all.length > 0 ? `; it has ${all.join(", ")}` : ""}`,
    );
  const chosen = options.variants ?? all;
  return chosen.length > 0 ? chosen : [undefined];
}

/** All scorers of a suite and its cases, each once. */
export async function allScorers<Expected>(suite: EvalSuite<Expected>): Promise<readonly Scorer<Expected>[]> {
  const cases = await readCases(suite);
  return [...new Set([...(suite.scorers ?? []), ...cases.flatMap(({ scorers = [] }) => scorers)])];
}

function trialPrefix({ name }: { readonly name: string }, { version }: VersionedOptions): string {
  return `evals/${name}/${version.tree}/`;
}
