import { expect, test } from "vitest";
import { caseProblem, failedTrials } from "../../src/report/case-problem.ts";
import type { CaseResult, TrialResult } from "../../src/report/eval-run.ts";
import { worse } from "./sample-run.ts";

const trial: TrialResult = { number: 1, status: "failed", scores: [], metrics: {}, answer: "" };

function caseOf(id: string, statuses: readonly TrialResult["status"][], more: Partial<CaseResult> = {}): CaseResult {
  const trials = statuses.map((status, at) => ({ ...trial, number: at + 1, status }));
  return { id, key: "1", world: "live", tags: [], trials, planned: trials.length, ...more };
}

test.each<[string, CaseResult, string | undefined]>([
  ["a case that broke", caseOf("policy", ["failed", "failed"]), "broke: 0 of 5, was 15 of 15"],
  ["a case that may be worse", caseOf("curt", ["failed", "failed"]), undefined],
  ["a new case that never passed", caseOf("new", ["failed", "error"]), "passed 0 of 2"],
  ["a new case that passed once", caseOf("new", ["failed", "passed"]), undefined],
  ["a case without trials", caseOf("new", []), undefined],
  ["a replay that differs", caseOf("hello", ["failed"], { world: "replay" }), "the replay differs"],
  ["a replay that is the same", caseOf("hello", ["passed"], { world: "replay" }), undefined],
])("%s", (_name, found, problem) => {
  expect(caseProblem(worse, found)).toBe(problem);
});

test("trials that did not pass say why, an advisory judge says nothing", () => {
  const scores = [
    { name: "cites", score: 1 / 3, threshold: 1, reason: "one of three" },
    { name: "judge", score: null, threshold: 1 },
    { name: "advice", score: 0, threshold: 1, isAdvisory: true },
  ];
  const trials: readonly TrialResult[] = [
    { ...trial, status: "passed" },
    { ...trial, number: 2, scores },
    { ...trial, number: 3, status: "error", why: "503" },
    { ...trial, number: 4, status: "invalid", why: "nobody approved" },
    { ...trial, number: 5, scores },
  ];
  expect(failedTrials({ ...caseOf("a", []), trials })).toEqual([
    "trials 2, 5 failed: cites 0.33, one of three; judge cannot tell",
    "trial 3 ended with an error (503)",
    "trial 4 could not be judged (nobody approved)",
  ]);
});
