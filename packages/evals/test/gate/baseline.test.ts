import { ConfigurationError } from "@pollux/core";
import { describe, expect, test } from "vitest";
import { baselineOf, readBaseline, writeBaseline } from "../../src/gate/baseline.ts";
import { caseOf, runOf, trial } from "./support.ts";

const policy = caseOf("policy", 2, 3, {
  trials: [
    trial({ metrics: { turns: 2, cost: 0.00212345678 }, scores: [{ name: "cites", score: 1, threshold: 1 }] }),
    trial({ number: 2, metrics: { turns: 3, cost: 0.0042 }, scores: [{ name: "cites", score: 0.5, threshold: 0.5 }] }),
    trial({ number: 3, status: "error", why: "503", metrics: { turns: 1, cost: 0.0001 } }),
  ],
});
const address = caseOf("address", 3, 3, { key: "k2", world: "recorded-tools" });

const TEXT = `{
  "suite": "support",
  "at": "2026-01-02T03:04:05.000Z",
  "tree": "4b825dc",
  "models": [{"id":"gemini-3.8-flash","version":"gemini-3.8-flash-002"}],
  "cases": {
    "address": {"key":"k2","world":"recorded-tools","passed":[3,3],"scores":{}},
    "policy": {"key":"k1","world":"live","passed":[2,3],"cost":[0.00212346,0.0042],"turns":[2,3],"scores":{"cites":[1,0.5,0]}}
  }
}
`;

test("a baseline's file has a line for each case, sorted, with six digits, and errors only in the counts and as a score of 0", () => {
  expect(writeBaseline(runOf([policy, address]))).toBe(TEXT);
  expect(writeBaseline(runOf([address, policy]))).toBe(TEXT);
});

test("scores of one name in a trial count by their mean, and one that could not be judged as 0", () => {
  const scored = (...scores: readonly (number | null)[]) =>
    trial({ scores: scores.map((score) => ({ name: "called", score, threshold: 1 })) });
  const run = runOf([caseOf("order", 1, 3, { trials: [scored(1, 0, 1, 1), scored(1, null), trial()] })]);
  expect(baselineOf(run).cases["order"]?.scores).toEqual({ called: [0.75, 0.5, 0] });
});

test("what is read is what was written", () => {
  const run = runOf([address, policy], { variant: "short" });
  expect(readBaseline(writeBaseline(run))).toEqual(baselineOf(run));
  expect(baselineOf(run)).toMatchObject({ variant: "short", at: run.at, tree: "4b825dc" });
});

test("replays and cases without a trial are not in it, and a case may have any name", () => {
  const run = runOf([
    caseOf("order-9", 1, 1, { world: "replay" }),
    caseOf("late", 0, 0, { planned: 5 }),
    caseOf("__proto__", 1, 2),
  ]);
  const read = readBaseline(writeBaseline(run));
  expect(Object.entries(read.cases)).toEqual([["__proto__", expect.objectContaining({ passed: [1, 2] })]]);
});

describe("a file that is no baseline is refused with what is wrong", () => {
  test.each([
    ["", "it is not JSON"],
    [TEXT.replace('  "suite"', '<<<<<<< HEAD\n  "suite"'), "git left a conflict in it"],
    ["[]", "it is not an object"],
    [TEXT.replace("2026-01-02T03:04:05.000Z", "yesterday"), "`at` is not a date"],
    [TEXT.replace('"support"', "17"), "`suite` or `tree` is not a text"],
    [TEXT.replace('"cases"', '"case"'), "`cases` is not an object"],
    [TEXT.replace('"key":"k1",', ""), "case `policy` has no `key` or no `world`"],
    [TEXT.replace("[2,3],", "[4,3],"), "`passed` of `policy` is not [passed, trials]"],
    [TEXT.replace("[2,3],", "[2],"), "`passed` of `policy` is not [passed, trials]"],
    [TEXT.replace("0.0042]", '"0.0042"]'), "`cost` of `policy` is not a list of numbers"],
  ])("%#", (text, problem) => {
    expect(() => readBaseline(text)).toThrow(
      new ConfigurationError(`The baseline can't be read: ${problem}. Restore the file from git or write a new one.`),
    );
  });
});
