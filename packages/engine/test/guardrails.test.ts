import { Agent, defineTool, type Guardrails } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { MemoryEngine } from "./memory-engine.ts";

const look = defineTool({ name: "look", description: "x", run: () => "seen" });
const send = defineTool({ name: "send", description: "x", run: () => "sent" });

describe.each([
  ["an engine", false],
  ["an engine that begins the run anew after every round", true],
] as const)("a run on %s", (_, restarting) => {
  test("asks each guardrail once, and reports what they let pass", async () => {
    const asked: string[] = [];
    const guardrails: Guardrails = {
      input: [{ name: "in", check: ({ text }) => (asked.push("in"), { replace: text.replaceAll(/\d/g, "#") }) }],
      output: [{ name: "out", check: ({ text }) => (asked.push("out"), { replace: text.replace("secret", "***") }) }],
    };
    const model = new ScriptedModel(call("look"), say("The secret."));
    const agent = new Agent({ model, tools: [look], guardrails });
    const engine = new MemoryEngine({ restarting });
    const report = await engine.start(agent, "r", { input: "Look at 7." });
    expect(report).toMatchObject({ status: "ended", result: { stopReason: "finished", text: "The ***." } });
    expect(asked).toEqual(["in", "out"]);
    expect(model.requests[0]?.contents).toEqual([{ role: "user", parts: [{ text: "Look at #." }] }]);
    expect(JSON.stringify(report)).not.toMatch(/secret|7\./);
  });

  test("reports that a guardrail stopped it, and that one failed", async () => {
    const stopping: Guardrails = { input: [{ name: "in", check: () => ({ stop: "no" }) }] };
    const stopped = new Agent({ model: new ScriptedModel(), guardrails: stopping });
    expect(await new MemoryEngine({ restarting }).start(stopped, "r", { input: "Go." })).toMatchObject({
      status: "ended",
      result: { stopReason: "guardrail", guardrail: { name: "in", side: "input", reason: "no" }, contents: [] },
    });
    const check = (): never => {
      throw new Error("down");
    };
    const failing = new Agent({ model: new ScriptedModel(), guardrails: { input: [{ name: "in", check }] } });
    expect(await new MemoryEngine({ restarting }).start(failing, "r", { input: "Go." })).toMatchObject({
      status: "failed",
      error: { name: "GuardrailError", code: "guardrail" },
      soFar: { contents: [] },
    });
  });

  test("prepares each turn once, and lets its calls use the tools that it offered", async () => {
    const turns: number[] = [];
    const model = new ScriptedModel(call("send"), call("look"), say("Done."));
    const agent = new Agent({
      model,
      tools: [look, send],
      hooks: { prepareTurn: ({ turn }) => (turns.push(turn), { tools: ["look"] }) },
    });
    const report = await new MemoryEngine({ restarting }).start(agent, "r", { input: "Go." });
    expect(report.status === "ended" && report.result.toolCalls.map(({ name, status }) => [name, status])).toEqual([
      ["send", "failed"],
      ["look", "completed"],
    ]);
    expect(turns).toEqual([1, 2, 3]);
  });
});
