// Entry "@pollux/evals/vitest": suites as tests, and matchers, which importing it registers. Names only.
export { describeEval, type DescribeEvalOptions } from "./describe-eval.ts";
export { evalMatchers, type EvalMatchers, type MatcherResult } from "./matchers.ts";
