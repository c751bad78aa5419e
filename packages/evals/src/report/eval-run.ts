import type { World } from "../worlds/world.ts";

/** Results of one suite: plain JSON, which reports, baselines and the inspector's page read. */
export interface EvalRun {
  readonly v: 1;
  /** Unique, and sorts by time. */
  readonly id: string;
  readonly suite: string;
  /** When it began, in milliseconds since the epoch. */
  readonly at: number;
  readonly ms: number;
  /** Version of the agent's code. */
  readonly version: CodeVersion;
  readonly variant?: string | undefined;
  /** Ids of the models that answered, and versions that the service reported, such as `gemini-3.8-flash-002`. */
  readonly models: readonly { readonly id: string; readonly version?: string | undefined }[];
  readonly cases: readonly CaseResult[];
  /** Share of passed trials among all, from 0 to 1, with its interval at 95% for cases like these. */
  readonly passed: { readonly share: number; readonly low: number; readonly high: number };
  readonly verdict: Verdict;
  readonly cost: EvalCost;
  /** Share of calls that recordings answered; absent when there was no recording. */
  readonly recordedShare?: number | undefined;
  /** Service features that were live under a recording: `googleSearch`, `urlContext`, `codeExecution`. */
  readonly notFixed: readonly string[];
  /** Why trials are missing, such as "the budget is spent". */
  readonly stopped?: string | undefined;
  /** Sentences for a person, such as about an allowed tool with effects. */
  readonly notes: readonly string[];
}

/** Which code was tried, as `codeVersion()` reports it. */
export interface CodeVersion {
  /** Git's hash of the tree with all changes; a random text outside of a repository. */
  readonly tree: string;
  readonly commit?: string | undefined;
  readonly hasChanges?: boolean | undefined;
}

/** What a run cost, in the unit of the prices. */
export interface EvalCost {
  readonly agent: number;
  readonly judges: number;
  readonly users: number;
  readonly total: number;
  /** Trials whose cost is not known for lack of prices. */
  readonly unpriced: number;
}

/** A case, and the results of its trials. */
export interface CaseResult {
  readonly id: string;
  /** Identifies the case and its scorers: with another key it is a new case. */
  readonly key: string;
  readonly world: World;
  readonly tags: readonly string[];
  readonly cluster?: string | undefined;
  readonly trials: readonly TrialResult[];
  /** Number of trials that were requested. */
  readonly planned: number;
}

/** A trial, after its scorers. */
export interface TrialResult {
  readonly number: number;
  /** `invalid` could not be judged, `error` failed for a reason outside of the agent; both count as not passed. */
  readonly status: "passed" | "failed" | "invalid" | "error";
  /** Why it is invalid or an error. */
  readonly why?: string | undefined;
  readonly scores: readonly ScoreResult[];
  /**
   * By name, such as `cost`, `durationMs`, `turns`, `calls`, `inputTokens`, `outputTokens`, `cachedTokens`; unknown
   * ones are absent.
   */
  readonly metrics: { readonly [name: string]: number };
  readonly stopReason?: string | undefined;
  /** Beginning of its answer. */
  readonly answer: string;
  /** Id of its session in the store of trials. */
  readonly sessionId?: string | undefined;
}

/** A scorer's finding about a trial. */
export interface ScoreResult {
  readonly name: string;
  readonly score: number | null;
  readonly threshold: number;
  readonly isAdvisory?: boolean | undefined;
  /** A sentence. */
  readonly reason?: string | undefined;
}

/** How a run compares with its baseline. */
export interface Verdict {
  readonly outcome: "not-worse" | "worse" | "incomplete" | "no-baseline";
  /** One to three sentences: what changed, what broke, what may stay unseen, how often an unchanged agent causes a false alarm. */
  readonly text: string;
  readonly metrics: readonly MetricComparison[];
  readonly broken: readonly {
    readonly id: string;
    readonly passed: readonly [number, number];
    readonly before: readonly [number, number];
  }[];
  /** Passed and trials in the baseline, by case; absent without one. */
  readonly before?: { readonly [caseId: string]: readonly [number, number] } | undefined;
  /** Cases that passed in some trials only. */
  readonly flaky: readonly string[];
  /** Cases without a baseline. */
  readonly added: readonly string[];
  /** Cases of the baseline that were not run. */
  readonly missing: readonly string[];
  /** Smallest drop of the share of passed trials that would be seen 8 times in 10; absent where none would. */
  readonly seenDrop?: number | undefined;
}

/** A metric of the run and of its baseline, over the cases that both have. */
export interface MetricComparison {
  readonly name: string;
  readonly now: number;
  readonly before: number;
  /** now − before, with its interval on these cases at 95%. */
  readonly difference: { readonly value: number; readonly low: number; readonly high: number };
  /** One-sided p-value for being worse. */
  readonly p: number;
  /** Whether it is worse at the gate's level, after Holm's correction. */
  readonly isWorse: boolean;
  readonly isGated: boolean;
}
