// Entry "@pollux/evals/vitest": suites as tests, and matchers. Names only.
export {};
