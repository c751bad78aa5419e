// Entry "@pollux/evals". Names only.
export type { AnyCase, EvalCase, SessionCase } from "./cases/eval-case.ts";
export type { AgentWorld, EvalSuite, EvalSuiteOptions, GateOptions, Metric, StandIn } from "./cases/eval-suite.ts";
export type { SimulatedUser } from "./users/simulated-user.ts";
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
export type { Score, Scorer, Trial } from "./trials/trial.ts";
export type { World } from "./worlds/world.ts";
