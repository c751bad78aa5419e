/** The runs of one suite of evals, oldest first. */
export interface EvalSuiteRuns {
  /** Name of its folder. */
  readonly suite: string;
  /** Those that were read: the last ones. */
  readonly runs: readonly EvalRunRow[];
  /** Files among them that are no run, with why. */
  readonly unreadable: readonly { readonly file: string; readonly problem: string }[];
  /** Older files that were not read. */
  readonly omitted: number;
}

/** One run of a suite. */
export interface EvalRunRow {
  /** Name of its file, without `.json`. */
  readonly id: string;
  readonly at: number;
  /** Commit, or else the tree; with a `+` where there were changes. */
  readonly version: string;
  readonly variant?: string | undefined;
  readonly outcome: string;
  /** The verdict in words. */
  readonly text: string;
  /** Of all trials, from 0 to 1, with its interval. */
  readonly passed: { readonly share: number; readonly low: number; readonly high: number };
  /** Of agent, judges and simulated users. */
  readonly cost: number;
  /** Trials whose cost is not known. */
  readonly unpriced: number;
  readonly trials: number;
  /** Empty in a list of suites. */
  readonly cases: readonly EvalCaseRow[];
}

/** A case in a run. */
export interface EvalCaseRow {
  readonly id: string;
  readonly trials: readonly { readonly number: number; readonly status: string }[];
  /** Worse than its baseline by itself. */
  readonly isBroken: boolean;
  /** Neither always passed nor never. */
  readonly isFlaky: boolean;
  /** Without a baseline of its own. */
  readonly isNew: boolean;
}
