// Entry "@pollux/evals". Names only.
export type { AnyCase, EvalCase, SessionCase } from "./cases/eval-case.ts";
export type { AgentWorld, EvalSuite, EvalSuiteOptions, GateOptions, Metric, StandIn } from "./cases/eval-suite.ts";
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
export type { PrepareScorer, Score, Scorer, Trial } from "./trials/trial.ts";
export { simulatedUser, type SimulatedUser, type SimulatedUserOptions } from "./users/simulated-user.ts";
export { talk, type Talk } from "./users/talk.ts";
export type { World } from "./worlds/world.ts";
