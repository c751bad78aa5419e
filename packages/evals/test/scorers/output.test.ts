import { Agent } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { equals, matches, type NamedScorer, similar, validates } from "../../src/index.ts";
import { trial, tryAgent } from "../helpers/trial.ts";

const trip = z.object({ city: z.string(), days: z.number().optional() });

function planner(answer: string, expected?: unknown) {
  return tryAgent(new Agent({ model: new ScriptedModel(say(answer)), output: trip }), "Plan a trip.", { expected });
}

test.each<[string, NamedScorer, string | undefined]>([
  ["the same JSON", equals({ days: 3, city: "Rome" }), undefined],
  ["less", equals({ city: "Rome" }), 'got {"city":"Rome","days":3}, not {"city":"Rome"}'],
  ["as the case expects", equals(), undefined],
  ["a part of its text", matches('"Rome"'), undefined],
  ["an expression", matches(/rome/gi), undefined],
  ["another text", matches("Oslo"), '"Oslo" is not in: {"city":"Rome","days":3}'],
  ["another expression", matches(/oslo/i), '/oslo/i is not in: {"city":"Rome","days":3}'],
  ["a schema", validates(trip), undefined],
  ["a schema that refuses", validates(z.object({ days: z.number().max(2, "too long") })), "too long"],
  ["a schema that takes time", validates(z.any().refine(async () => false, "not now")), "not now"],
])("an output by %s", async (_what, scorer, reason) => {
  const tried = await planner('{"city":"Rome","days":3}', { city: "Rome", days: 3, note: undefined });
  const name = scorer.scorerName;
  const scored = reason === undefined ? { name, score: 1 } : { name, score: 0, metadata: { reason } };
  expect(await scorer(tried)).toEqual(scored);
  // An expression with the flag g does not remember.
  expect(await scorer(tried)).toEqual(scored);
});

test("a text equals a text", async () => {
  expect(await equals("Yes.")(trial({ output: "Yes." }))).toEqual({ name: "equals", score: 1 });
  expect(await equals("Yes.")(trial({ output: "yes." }))).toMatchObject({ score: 0 });
});

test.each([equals(), similar()])("$scorerName cannot be told when the case expects nothing", async (scorer) => {
  expect(await scorer(trial({ output: "Yes." }))).toMatchObject({ name: scorer.scorerName, score: null });
});

test("similarity is the share of characters that stay, and passes from its threshold on", async () => {
  const scorer = similar("kitten", { threshold: 0.5 });
  expect(scorer.threshold).toBe(0.5);
  expect(await scorer(trial({ text: "sitting" }))).toEqual({ name: "similar", score: 1 - 3 / 7 });
  expect(await scorer(trial({ text: "dogs" }))).toEqual({
    name: "similar",
    score: 0,
    metadata: { reason: 'not similar to "kitten": dogs' },
  });
  expect(await similar()(trial({ text: "kitten", expected: "kitten" }))).toEqual({ name: "similar", score: 1 });
});

test("similarity is 1 for the same text alone, is the same both ways, and stays from 0 to 1", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.string(), async (a, b) => {
      const [{ score: there }, { score: back }] = [
        await similar(a)(trial({ text: b })),
        await similar(b)(trial({ text: a })),
      ];
      expect(there).toBe(back);
      expect(there === 1).toBe(a === b);
      expect(Number(there) >= 0 && Number(there) <= 1).toBe(true);
    }),
  );
});

test("a threshold outside of 0 to 1 is refused", () => {
  expect(() => similar("a", { threshold: 80 })).toThrow(
    new TypeError("similar(): the threshold must be from 0 to 1, got 80"),
  );
});
