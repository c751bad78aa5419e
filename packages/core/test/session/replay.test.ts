import { Agent, type AnyTool, defineTool, MemoryStore } from "@pollux/core";
import { ReplayDifferenceError } from "@pollux/core/errors";
import { call, calls, collect, fails, say, ScriptedModel, shapeOf } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { fakeTime } from "../helpers/fake-time.ts";

fakeTime("leaps");

const never = new ScriptedModel(); // fails when it is asked

const look = defineTool({ name: "look", description: "Looks.", run: () => "shoes" });
const pay = defineTool({ name: "pay", description: "Pays.", run: () => "paid" });
const dead = (tool: AnyTool): AnyTool =>
  tool.kind === "function" ? { ...tool, run: () => Promise.reject(new Error("must not run")) } : tool;

async function recorded(store = new MemoryStore()) {
  const model = new ScriptedModel(calls("look", "pay"), say("Bought."), say("You are welcome."));
  const session = new Agent({ model, tools: [look, pay] }).session({ id: "s", store });
  const first = await collect(session.stream("Buy shoes."));
  await session.send("Thanks.");
  return { store, first };
}

test("a run is read again from its log: same events, same result, no model, no tool, nothing written", async () => {
  const { store, first } = await recorded();
  const before = await store.load("s");
  const session = new Agent({ model: never, tools: [look, pay].map(dead) }).session({ id: "s", store });
  const again = await collect(session.replay({ runId: first.result.runId }));
  expect(shapeOf(again.events)).toEqual(shapeOf(first.events));
  expect(again.result).toEqual(first.result);
  expect((await session.replay().result()).text).toBe("You are welcome.");
  expect(await store.load("s")).toEqual(before);
});

test("code that asks for more is a difference that names the step", async () => {
  const { store, first } = await recorded();
  const guarded = defineTool({ name: "pay", description: "Pays.", needsApproval: true, run: () => "paid" });
  const session = new Agent({ model: never, tools: [look, guarded] }).session({ id: "s", store });
  const replay = session.replay({ runId: first.result.runId }).result();
  await expect(replay).rejects.toThrow(ReplayDifferenceError);
  await expect(replay).rejects.toThrow("it asks for route:1, which is not in the log");
});

test("code that does less is a difference that names what it left out and where the result differs", async () => {
  const { store, first } = await recorded();
  const session = new Agent({ model: never, tools: [look, pay], stopWhen: [() => true] }).session({ id: "s", store });
  await expect(session.replay({ runId: first.result.runId }).result()).rejects.toThrow(
    /it never asks for model:2, which is in the log\n- its result differs at stopReason/,
  );
});

test("a run that failed replays up to where it failed, and says with what", async () => {
  const store = new MemoryStore();
  const model = new ScriptedModel(call("look"), fails(new Error("down")));
  const session = new Agent({ model, tools: [look] }).session({ id: "s", store });
  await expect(session.send("Go.")).rejects.toThrow("down");
  await expect(session.replay().result()).rejects.toThrow(
    "the recorded run ended here without a result (failed): Error: down",
  );
});

test("there is nothing to replay before the first run, nor of a run nobody made", async () => {
  const session = new Agent({ model: never }).session({ id: "s" });
  await expect(session.replay().result()).rejects.toThrow('session "s" has no run yet');
  await expect(session.replay({ runId: "r1" }).result()).rejects.toThrow('session "s" has no run r1');
});

test("a run that its wall time cut off, or its session's limit, ends the same way again", async () => {
  const slow = () => new Promise<ReturnType<typeof say>>((resolve) => setTimeout(() => resolve(say("late")), 500));
  const model = new ScriptedModel(call("look"), slow, call("look"));
  const session = new Agent({ model, tools: [look] }).session({ limits: { turns: 3 } });
  const limits = { wallTimeMs: 40 };
  expect(await session.send("One.", { limits })).toMatchObject({ stopReason: "limit", turns: 2 });
  expect(await session.replay({ limits }).result()).toMatchObject({ stopReason: "limit", turns: 2 });
  expect(await session.send("Two.")).toMatchObject({ stopReason: "limit", limit: { scope: "session", used: 3 } });
  expect(await session.replay().result()).toMatchObject({ stopReason: "limit", limit: { scope: "session", used: 3 } });
});
