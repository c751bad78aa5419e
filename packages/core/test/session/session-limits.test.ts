import { Agent, ConfigurationError, defineTool, MemoryStore } from "@pollux/core";
import { SessionLimitError } from "@pollux/core/errors";
import { call, costs, say, ScriptedModel, join } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { SESSION_FACES } from "./session-faces.ts";

const PRICES = { input: 100, output: 1_000, searchQuery: 1 };
const dear = join(
  say("A word."),
  costs({ promptTokenCount: 10_000, candidatesTokenCount: 1_000, totalTokenCount: 11_000 }),
);
const look = defineTool({ name: "look", description: "x", run: () => "ok" });
const dearCall = join(
  call("look"),
  costs({ promptTokenCount: 10_000, candidatesTokenCount: 1_000, totalTokenCount: 11_000 }),
);

describe.each(SESSION_FACES)("limits of a session read by %s", (_face, face) => {
  test("end a run by its cost, with the figures, and a higher one goes on", async () => {
    const model = new ScriptedModel(dearCall, dearCall, dear);
    const agent = new Agent({ model, tools: [look], prices: PRICES, limits: { repeats: 9 } });
    const session = agent.session();
    const stopped = await face.send(session, "Go.", { limits: { cost: 3.5 } });
    expect(stopped).toMatchObject({
      stopReason: "limit",
      limit: { name: "cost", limit: 3.5, used: 4 },
      cost: 4,
      turns: 2,
    });
    const result = await face.resume(session, { limits: { cost: 10 } });
    expect(result).toMatchObject({ stopReason: "finished", cost: 6, turns: 3 });
    expect(await session.state()).toMatchObject({ cost: 6, turns: 3, runs: 1 });
  });

  test("hold for all of its runs together, in another process as well", async () => {
    const store = new MemoryStore();
    const open = (limits: { turns: number }) =>
      new Agent({ model: new ScriptedModel(dear), prices: PRICES }).session({ id: "s", store, limits });
    expect(await face.send(open({ turns: 2 }), "One.")).toMatchObject({ stopReason: "finished" });
    expect(await face.send(open({ turns: 2 }), "Two.")).toMatchObject({ stopReason: "finished" });
    const stored = await store.load("s");
    await expect(face.send(open({ turns: 2 }), "Three.")).rejects.toMatchObject({
      code: "session_limit",
      limit: "turns",
      allowed: 2,
      used: 2,
    });
    // A message that no request could answer is not stored.
    expect(await store.load("s")).toEqual(stored);
    expect(await face.send(open({ turns: 5 }), "Three.")).toMatchObject({ stopReason: "finished", text: "A word." });
  });

  test("end a run that reaches them, and a higher one resumes it", async () => {
    const store = new MemoryStore();
    const open = (limits: { cost: number }) =>
      new Agent({ model, tools: [look], prices: PRICES }).session({ id: "s", store, limits });
    const model = new ScriptedModel(dear, dearCall, dear);
    expect(await face.send(open({ cost: 3.5 }), "One.")).toMatchObject({ stopReason: "finished" });
    expect(await face.send(open({ cost: 3.5 }), "Two.")).toMatchObject({
      stopReason: "limit",
      limit: { name: "cost", limit: 3.5, used: 4, scope: "session" },
      turns: 1,
    });
    await expect(face.send(open({ cost: 3.5 }), "Three.")).rejects.toThrow(SessionLimitError);
    expect(await face.resume(open({ cost: 9 }))).toMatchObject({ stopReason: "finished", text: "A word." });
  });
});

test("a limit of money needs prices", () => {
  expect(() => new Agent({ model: new ScriptedModel(), limits: { cost: 1 } })).toThrow(ConfigurationError);
});

test("an agent used as a tool adds what it cost", async () => {
  const inner = new Agent({ name: "inner", model: new ScriptedModel(dear), prices: PRICES });
  const outer = new Agent({
    model: new ScriptedModel(call("inner", { task: "Think." }), dear),
    tools: [inner.asTool({ description: "x" })],
    prices: PRICES,
  });
  // 10 input and 5 output tokens of the scripted call come on top.
  expect((await outer.run("Go.")).cost).toBeCloseTo(4 + 0.006, 10);
});

test("a fork has the limits of its session", async () => {
  const session = new Agent({ model: new ScriptedModel(dear, dear) }).session({ limits: { turns: 1 } });
  await session.send("One.");
  const fork = await session.fork();
  expect(await fork.send("Two.")).toMatchObject({ stopReason: "finished" });
  await expect(fork.send("Three.")).rejects.toThrow(SessionLimitError);
});
