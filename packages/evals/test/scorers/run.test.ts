import { Agent, type AgentOptions, defineTool, stopText } from "@pollux/core";
import { NO_USAGE } from "@pollux/core/model";
import { call, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { atMost, cachedShare, guardrailFires, type NamedScorer, stopsWith } from "../../src/index.ts";
import { trial, tryAgent } from "../helpers/trial.ts";

const look = defineTool({ name: "look", description: "Looks.", run: () => "seen" });

function run(options: Omit<AgentOptions, "model" | "tools">, ...script: readonly ScriptLine[]) {
  return tryAgent(new Agent({ model: new ScriptedModel(...script), tools: [look], ...options }), "Look!");
}

test("the stop reason of the last run, and none of one that failed", async () => {
  const looked = await run({}, call("look"), say("Seen."));
  expect(await stopsWith("finished")(looked)).toEqual({ name: "stopsWith", score: 1 });
  expect(await stopsWith("blocked")(looked)).toEqual({
    name: "stopsWith",
    score: 0,
    metadata: { reason: 'the run ended with "finished", not "blocked"' },
  });
  expect(await stopsWith("finished")(trial())).toMatchObject({ score: 0 });
});

test("guardrails, by name or any", async () => {
  const guardrails = { output: [stopText(/secret/, { name: "no-secrets", maxLength: 6 })] };
  const stopped = await run({ guardrails }, say("The secret is 7."));
  expect(await guardrailFires()(stopped)).toEqual({ name: "guardrailFires", score: 1 });
  expect(await guardrailFires("no-secrets")(stopped)).toEqual({ name: "guardrailFires", score: 1 });
  expect(await guardrailFires("polite")(stopped)).toEqual({
    name: "guardrailFires",
    score: 0,
    metadata: { reason: "polite did not fire, but no-secrets" },
  });
  expect(await guardrailFires()(await run({ guardrails }, say("Hi.")))).toEqual({
    name: "guardrailFires",
    score: 0,
    metadata: { reason: "no guardrail fired" },
  });
});

// Two requests of 10 tokens and 5 of output.
test.each<[NamedScorer, string | undefined]>([
  [atMost("turns", 2), undefined],
  [atMost("turns", 1), "turns: 2, more than 1"],
  [atMost("calls", 1), undefined],
  [atMost("calls", 0), "calls: 1, more than 0"],
  [atMost("inputTokens", 20), undefined],
  [atMost("inputTokens", 19), "inputTokens: 20, more than 19"],
  [atMost("outputTokens", 10), undefined],
  [atMost("outputTokens", 9), "outputTokens: 10, more than 9"],
  [atMost("cost", 30), undefined],
  [atMost("cost", 29), "cost: 30, more than 29"],
  [atMost("durationMs", 70), undefined],
  [atMost("durationMs", 69), "durationMs: 70, more than 69"],
])("$key", async (scorer, reason) => {
  const prices = { input: 1_000_000, output: 1_000_000 };
  const made = await run({ prices }, call("look"), say("Seen."));
  const looked = { ...made, metrics: { ...made.metrics, durationMs: 70 } };
  const name = scorer.scorerName;
  expect(await scorer(looked)).toEqual(
    reason === undefined ? { name, score: 1 } : { name, score: 0, metadata: { reason } },
  );
});

test("a cost without prices cannot be judged", async () => {
  expect(await atMost("cost", 1)(await run({}, say("Hi.")))).toEqual({
    name: "atMost(cost)",
    score: null,
    metadata: { reason: "the cost is not known: give the agent `prices`" },
  });
});

test("thinking counts as output", async () => {
  const usage = { ...NO_USAGE, outputTokens: 5, thoughtTokens: 7 };
  expect(await atMost("outputTokens", 11)(trial({ usage }))).toMatchObject({ score: 0 });
});

test("the share of input tokens that were cached is the score", async () => {
  const scorer = cachedShare(0.5);
  expect(scorer.threshold).toBe(0.5);
  const usage = { ...NO_USAGE, inputTokens: 1_000, cachedTokens: 500 };
  expect(await scorer(trial({ usage }))).toEqual({ name: "cachedShare", score: 0.5 });
  expect(await scorer(trial({ usage: { ...usage, cachedTokens: 400 } }))).toEqual({
    name: "cachedShare",
    score: 0.4,
    metadata: { reason: "400 of 1000 input tokens were cached" },
  });
  expect(await scorer(trial())).toMatchObject({ score: null });
});

test.each([
  [
    () => atMost("tokens" as never, 1),
    'atMost(): there is no figure "tokens"; there are turns, calls, inputTokens, outputTokens, cost, durationMs',
  ],
  [() => atMost("turns", Number.NaN), "atMost(): the limit must be 0 or more, got NaN"],
  [() => cachedShare(80), "cachedShare(): the share must be from 0 to 1, got 80"],
])("says what is wrong: %#", (make, message) => {
  expect(make).toThrow(new TypeError(message));
});
