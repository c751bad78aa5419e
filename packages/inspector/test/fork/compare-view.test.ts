import { keepExchanges } from "@pollux/core/exchanges";
import { call, say, script } from "@pollux/emulator";
import { defineTool } from "@pollux/core";
import { expect, test } from "vitest";
import type { BranchComparison } from "../../src/inspection/results.ts";
import { inspect, keptSession } from "../support/inspected.ts";
import { add, foldOf } from "../support/sessions.ts";

const subtract = defineTool({ name: "subtract", description: "Subtracts.", run: () => 0 });

/** Two runs of one session, the second by an agent with other instructions, tools and settings. */
async function twoRuns() {
  const brain = script([call("add", { a: 1, b: 2 }), say("It is 3."), say("It is three.")]);
  const { store, exchanges, changed } = await keptSession(brain, "What is 1 + 2?");
  const keeper = keepExchanges(exchanges);
  const other = changed({
    instructions: "You calculate, in words.",
    tools: [add, subtract],
    settings: { temperature: 0.5 },
    observers: [keeper],
  });
  await other.session({ id: "chat-1", store }).send("What is 1 + 2?");
  await keeper.flush();
  return { store, exchanges, runs: (await foldOf(store)).runs.map(({ runId }) => runId) };
}

test("two runs are compared by turns, figures and prompts", async () => {
  const { store, exchanges, runs } = await twoRuns();
  const [run = "", withRun = ""] = runs;
  const query = { with: "chat-1", run, withRun, whole: "true" };
  const { prompts, left, right, rows } = await inspect({ store, exchanges }).view<BranchComparison>("compare", query);
  expect([left.turns, right.turns, left.toolCalls, right.toolCalls]).toEqual([2, 1, 1, 0]);
  expect(rows).toMatchObject([
    { left: { calls: [{ name: "add" }] }, right: { text: "It is three." } },
    { left: { text: "It is 3." } },
  ]);
  expect(prompts).toEqual({
    models: ["gemini-3.5-flash", "gemini-3.5-flash"],
    instructions: ["You calculate.", "You calculate, in words."],
    tools: [
      { name: "fail", is: "only-left" },
      { name: "pay", is: "only-left" },
      { name: "subtract", is: "only-right" },
    ],
    settings: [{ name: "temperature", right: 0.5 }],
  });
});

test("without kept requests, or for differences only, there are no prompts", async () => {
  const { store, exchanges } = await twoRuns();
  const whole = { with: "chat-1", whole: "true" };
  expect((await inspect({ store }).view<BranchComparison>("compare", whole)).prompts).toBeUndefined();
  const short = await inspect({ store, exchanges }).view<BranchComparison>("compare", { with: "chat-1" });
  expect(short).toMatchObject({ sharedTurns: 3, rows: [] });
  expect(short.prompts).toBeUndefined();
  await expect(inspect({ store }).view("compare", { with: "other" })).rejects.toThrow("404 not_found");
  for (const names of [{ run: "other" }, { withRun: "other" }])
    await expect(inspect({ store }).view("compare", { ...whole, ...names })).rejects.toThrow("There is no such run");
});
