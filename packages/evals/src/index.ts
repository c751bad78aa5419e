// Entry "@pollux/evals". Names only.
export { casesFromFile } from "./cases/cases-from-file.ts";
export { defineEval, readCases } from "./cases/define-eval.ts";
export type { AnyCase, EvalCase, SessionCase } from "./cases/eval-case.ts";
export type {
  AgentWorld,
  EvalSuite,
  EvalSuiteOptions,
  GateOptions,
  Metric,
  StandIn,
  TestedAgent,
} from "./cases/eval-suite.ts";
export { type CaseFilter, filterCases } from "./cases/filter-cases.ts";
export { proposeCase, type ProposeCaseOptions, type ProposedCase } from "./cases/propose-case.ts";
export {
  type CaseText,
  sessionCase,
  sessionCaseFiles,
  type SessionCaseFile,
  type SessionCaseOptions,
  writeSessionCase,
} from "./cases/session-case.ts";
export { type Baseline, type CaseRecord, readBaseline, writeBaseline } from "./gate/baseline.ts";
export { baselineName, gateEval } from "./gate/gate-eval.ts";
export { exitCode, isDecided, judgeRun } from "./gate/judge-run.ts";
export type { JudgeOptions } from "./judges/ask-model.ts";
export { calibrate, type Calibration } from "./judges/calibrate.ts";
export { decides, type DecidesOptions } from "./judges/decides.ts";
export { judge } from "./judges/judge.ts";
export type { JudgeLabel } from "./judges/labels.ts";
export type { Judge, LabelOptions } from "./judges/make-judge.ts";
export { prefers, type PrefersOptions } from "./judges/prefers.ts";
export { codeVersion } from "./report/code-version.ts";
export type {
  CaseResult,
  CodeVersion,
  EvalCost,
  EvalRun,
  MetricComparison,
  ScoreResult,
  TrialResult,
  Verdict,
} from "./report/eval-run.ts";
export { formatRun } from "./report/format-run.ts";
export { junitReport } from "./report/junit-report.ts";
export { markdownReport } from "./report/markdown-report.ts";
export {
  asksApproval,
  called,
  calledAll,
  calledInOrder,
  type ExpectedCall,
  neverCalled,
  noRepeatedCalls,
} from "./scorers/calls.ts";
export { cites } from "./scorers/cites.ts";
export type { ArgsMatcher, CallArgs, Schema } from "./scorers/match-args.ts";
export { equals, matches, similar, validates } from "./scorers/output.ts";
export { atMost, cachedShare, type Figure, guardrailFires, stopsWith } from "./scorers/run.ts";
export type { NamedScorer } from "./scorers/scorer.ts";
export { differenceOnCasesLikeThese, differenceOnTheseCases } from "./statistics/differences.ts";
export {
  type Counts,
  type Estimate,
  passAtK,
  passHatK,
  rateOfCasesLikeThese,
  rateOfTheseCases,
} from "./statistics/rates.ts";
export { type PlannedCase, seenDrop } from "./statistics/seen-drop.ts";
export type { Pair } from "./statistics/worse-counts.ts";
export { type EvalProgress, runEval, type RunEvalOptions, type UnjudgedRun } from "./trials/run-eval.ts";
export type { PrepareScorer, Score, Scorer, Trial } from "./trials/trial.ts";
export { simulatedUser, type SimulatedUser, type SimulatedUserOptions } from "./users/simulated-user.ts";
export { talk, type Talk } from "./users/talk.ts";
export type { World } from "./worlds/world.ts";
