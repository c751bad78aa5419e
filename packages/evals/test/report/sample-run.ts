import type { CaseResult, EvalRun, TrialResult } from "../../src/report/eval-run.ts";

/** Trials of which the first `passed` pass. */
function trials(count: number, passed: number, failed: Partial<TrialResult> = {}): readonly TrialResult[] {
  return Array.from({ length: count }, (_, at): TrialResult => {
    const metrics = { cost: 0.0123, durationMs: 1500, turns: 2, calls: 1 };
    const common = { number: at + 1, scores: [], metrics, stopReason: "finished", answer: "Done." };
    return at < passed ? { ...common, status: "passed" } : { ...common, status: "failed", ...failed };
  });
}

function found(id: string, of: readonly TrialResult[], more: Partial<CaseResult> = {}): CaseResult {
  return { id, key: "9f2c", world: "live", tags: [], trials: of, planned: of.length, ...more };
}

const uncited: Partial<TrialResult> = {
  scores: [
    { name: "cites", score: 0, threshold: 1, reason: 'no citation of <returns> & "more"' },
    { name: "next", score: 0.2, threshold: 0.5, isAdvisory: true },
    { name: "matches", score: 1, threshold: 1 },
  ],
};

/** Worse than its baseline, with a case of each kind. */
export const worse: EvalRun = {
  v: 1,
  id: "20261125-1",
  suite: "support",
  at: Date.UTC(2026, 10, 25, 2, 20),
  ms: 41_300,
  version: { tree: "9f2c41a0b7", commit: "11aa", hasChanges: true },
  models: [{ id: "gemini-3.8-flash", version: "gemini-3.8-flash-002" }],
  cases: [
    found("refund", trials(5, 5)),
    found("policy", trials(5, 0, uncited)),
    found("curt", trials(5, 3, { status: "invalid", why: "the judge did not answer" })),
    found("hello", trials(5, 4, { status: "error", why: "503" }), { world: "recorded-tools" }),
    found("crack", trials(2, 2), { planned: 5 }),
  ],
  passed: { share: 0.74, low: 0.5, high: 0.89 },
  verdict: {
    outcome: "worse",
    text: "Worse: 74% pass, 93% before; `policy` broke (0 of 5, was 15 of 15). 1 of 20 unchanged runs causes a false alarm.",
    metrics: [
      {
        name: "passed",
        now: 0.74,
        before: 0.93,
        difference: { value: -0.19, low: -0.31, high: -0.08 },
        p: 0.001,
        isWorse: true,
        isGated: true,
      },
      {
        name: "cost",
        now: 0.0123,
        before: 0.0125,
        difference: { value: -0.0002, low: -0.001, high: 0.0006 },
        p: 0.7,
        isWorse: false,
        isGated: true,
      },
      {
        name: "durationMs",
        now: 1500,
        before: 1200,
        difference: { value: 300, low: 100, high: 500 },
        p: 0.01,
        isWorse: true,
        isGated: false,
      },
    ],
    broken: [{ id: "policy", passed: [0, 5], before: [15, 15] }],
    before: { refund: [15, 15], policy: [15, 15], curt: [12, 15], hello: [14, 15] },
    flaky: ["curt", "hello"],
    added: ["crack"],
    missing: ["late"],
    seenDrop: 0.15,
  },
  cost: { agent: 0.25, judges: 0.05, users: 0.01, total: 0.31, unpriced: 1 },
  recordedShare: 0.97,
  notFixed: ["googleSearch"],
  notes: ["`refund` really ran, for allowEffects names it."],
};

/** The first run of a suite: nothing to compare it with, and nothing that costs. */
export const first: EvalRun = {
  ...worse,
  variant: "short",
  version: { tree: "9f2c41a0b7" },
  cases: [found("refund", trials(5, 5)), found("policy", trials(5, 0, uncited))].map((one) => ({
    ...one,
    trials: one.trials.map((trial) => ({ ...trial, metrics: {} })),
  })),
  passed: { share: 0.5, low: 0, high: 1 },
  verdict: {
    outcome: "no-baseline",
    text: "50% pass. There is no baseline to compare with.",
    metrics: [],
    broken: [],
    flaky: [],
    added: ["refund", "policy"],
    missing: [],
  },
  cost: { agent: 0, judges: 0, users: 0, total: 0, unpriced: 0 },
  recordedShare: undefined,
  notFixed: [],
  notes: [],
};
