import { expect, test } from "vitest";
import { type AnyCase, called, type Scorer, simulatedUser } from "../../src/index.ts";
import { caseKey, trialKey } from "../../src/cases/case-key.ts";

const base: AnyCase = { id: "a", input: "x", expected: 1 };
const recording = { log: [{ type: "run", runId: "r" }], exchanges: [] };
const scorers: readonly Scorer[] = [called("refund", { order: "17" })];

test.each<[string, AnyCase, readonly Scorer[], boolean, boolean]>([
  ["an equal case", { id: "a", input: "x", expected: 1 }, [called("refund", { order: "17" })], true, true],
  ["other tags", { ...base, tags: ["new"], cluster: "c" }, scorers, true, true],
  ["another input", { ...base, input: "y" }, scorers, false, false],
  ["other metadata, which its runs are given", { ...base, metadata: { lang: "en" } }, scorers, false, false],
  ["another expectation", { ...base, expected: 2 }, scorers, true, false],
  ["other arguments of a scorer", base, [called("refund", { order: "18" })], true, false],
  ["another threshold", base, [Object.assign(called("refund", { order: "17" }), { threshold: 0.5 })], true, false],
  ["another scorer", base, [...scorers, ({ text }) => text === ""], true, false],
  ["a scorer that only advises", base, [...scorers, Object.assign(() => true, { isAdvisory: true })], true, true],
  ["a recording", { id: "a", recording, runId: "r", expected: 1 }, scorers, false, false],
])("%s has the same keys or others, as they matter", (_, one, given, isReread, isCompared) => {
  expect([trialKey(one) === trialKey(base), caseKey(one, given) === caseKey(base, scorers)]).toEqual([
    isReread,
    isCompared,
  ]);
});

test("a simulated user is its model, goal and character", () => {
  const keyOf = (options: Parameters<typeof simulatedUser>[0]) => trialKey({ id: "a", input: simulatedUser(options) });
  const known = keyOf({ model: "gemini-3.5-flash", goal: "A refund" });
  expect(keyOf({ model: "gemini-3.5-flash", goal: "A refund", prices: { input: 1, output: 1 } })).toBe(known);
  expect(keyOf({ model: "gemini-3.5-flash", goal: "Advice" })).not.toBe(known);
  expect(keyOf({ model: "gemini-3.5-pro", goal: "A refund" })).not.toBe(known);
});
