import type { CaseResult, EvalRun, TrialResult } from "../../src/report/eval-run.ts";

/** A trial, with what differs from one that passed. */
export function trial(options: Partial<TrialResult> = {}): TrialResult {
  return { number: 1, status: "passed", scores: [], metrics: {}, answer: "", ...options };
}

/** A case of which the first `passed` trials passed. */
export function caseOf(id: string, passed: number, trials: number, options: Partial<CaseResult> = {}): CaseResult {
  const all = Array.from({ length: trials }, (_, index) =>
    trial({ number: index + 1, status: index < passed ? "passed" : "failed" }),
  );
  return { id, key: "k1", world: "live", tags: [], trials: all, planned: trials, ...options };
}

/** A suite's run. */
export function runOf(cases: readonly CaseResult[], options: Partial<EvalRun> = {}): Omit<EvalRun, "verdict"> {
  return {
    v: 1,
    id: "run-1",
    suite: "support",
    at: Date.UTC(2026, 0, 2, 3, 4, 5),
    ms: 1000,
    version: { tree: "4b825dc" },
    models: [{ id: "gemini-3.8-flash", version: "gemini-3.8-flash-002" }],
    cases,
    passed: { share: 1, low: 0, high: 1 },
    cost: { agent: 0, judges: 0, users: 0, total: 0, unpriced: 0 },
    notFixed: [],
    notes: [],
    ...options,
  };
}
