import { fails, finishes, join, say, ScriptedModel } from "@pollux/core/testing";
import { ApiStatusError } from "@pollux/core";
import { expect, test } from "vitest";
import { simulatedUser, talk } from "../../src/index.ts";

const signal = new AbortController().signal;

/** What the user's model writes. */
function line(message: string, done = "goes-on") {
  return say(JSON.stringify({ done, message }));
}

/** An agent that gives these answers, then none. */
function agent(...answers: readonly string[]) {
  const heard: string[] = [];
  return { heard, say: async (message: string) => answers[heard.push(message) - 1] };
}

test("talks until the goal is reached, and does not say the last word", async () => {
  const model = new ScriptedModel(line("I want my money back"), line("Order 17."), line("", "reached"));
  const { heard, say: hear } = agent("Which order?", "Order 17 is refunded.");
  const talked = await talk(simulatedUser({ model, goal: "Refund of order 17", character: "curt" }), hear, { signal });
  expect(talked).toEqual({
    messages: ["I want my money back", "Order 17."],
    outcome: "reached",
    usage: expect.objectContaining({ requests: 3 }),
  });
  expect(heard).toEqual(talked.messages);
  const last = model.requests.at(-1);
  expect(last?.contents.filter(({ role }) => role === "user").slice(1)).toEqual([
    { role: "user", parts: [{ text: "Which order?" }] },
    { role: "user", parts: [{ text: "Order 17 is refunded." }] },
  ]);
  expect(JSON.stringify(last)).toContain("How you are: curt");
  expect(JSON.stringify(last)).toContain("all that you know: Refund of order 17");
  model.assertSpent();
});

test("gives up; its first message is sent no matter what it thinks of the goal", async () => {
  const model = new ScriptedModel(line("Refund me", "reached"), line("This is useless", "gave-up"));
  const { heard, say: hear } = agent("I am a bot.");
  expect(await talk(simulatedUser({ model, goal: "A refund" }), hear, { signal })).toMatchObject({
    messages: ["Refund me"],
    outcome: "gave-up",
  });
  expect(heard).toEqual(["Refund me"]);
});

test.each([
  ["ran-out", "goes-on"],
  ["reached", "reached"],
])("after its last message it is asked whether it is done: %s", async (outcome, done) => {
  const model = new ScriptedModel(line("One"), line("Two"), line("Three", done));
  const { heard, say: hear } = agent("1", "2", "3");
  const user = simulatedUser({ model, goal: "Counting", maxMessages: 2 });
  expect(await talk(user, hear, { signal })).toMatchObject({ messages: ["One", "Two"], outcome });
  expect(heard).toEqual(["One", "Two"]);
});

test("an answer without text is told as such, and no answer ends the conversation", async () => {
  const model = new ScriptedModel(line("One"), line("Two"));
  expect(await talk(simulatedUser({ model, goal: "Counting" }), agent(" ").say, { signal })).toMatchObject({
    messages: ["One", "Two"],
    outcome: "stopped",
  });
  expect(model.requests[1]?.contents.at(-1)?.parts).toEqual([{ text: "(The assistant wrote nothing.)" }]);
});

test.each([
  ["throws", fails(new ApiStatusError("No such model.", { status: 404, retryable: false })), "No such model."],
  ["is blocked", finishes("SAFETY"), 'its run ended with "blocked"'],
  ["says nothing", line(" "), "it continues, but its message is empty"],
])("a user whose model %s has failed, and still cost", async (_what, turn, why) => {
  const usage = { promptTokenCount: 1_000_000, candidatesTokenCount: 0 };
  const model = new ScriptedModel(join(line("One"), { batches: [], usage }), turn);
  const user = simulatedUser({ model, goal: "Counting", prices: { input: 2, output: 8 } });
  const talked = await talk(user, agent("1").say, { signal });
  expect(talked).toMatchObject({ messages: ["One"], outcome: "failed", why });
  expect(talked.cost).toBeCloseTo(2, 1);
});

test("what the agent throws goes through, and so does an abort", async () => {
  const user = () => simulatedUser({ model: new ScriptedModel(line("One")), goal: "Counting" });
  const broken = new Error("no database");
  await expect(talk(user(), () => Promise.reject(broken), { signal })).rejects.toBe(broken);
  const reason = new Error("enough");
  await expect(talk(user(), agent().say, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test.each([
  [{ goal: " " }, "simulatedUser(): say in `goal` what the user wants"],
  [{ goal: "A", maxMessages: 0.5 }, "simulatedUser(): maxMessages must be a whole number from 1 on, got 0.5"],
])("says what is wrong with %j", (options, message) => {
  expect(() => simulatedUser({ model: "gemini-3.8-flash", ...options })).toThrow(new TypeError(message));
});
