import { Agent, defineTool } from "@pollux/core";
import { call, calls, say, ScriptedModel } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { MemoryEngine } from "../../engine/test/memory-engine.ts";
import { openTelemetry } from "../src/index.ts";
import { keepContexts, Sdk } from "./helpers/sdk.ts";
import { drawTree } from "./helpers/span-tree.ts";

keepContexts();

test("a run that its engine begins anew after each step is traced step by step, each trace linked to the one before", async () => {
  const sdk = new Sdk();
  const observers = [openTelemetry({ tracerProvider: sdk.tracerProvider, meterProvider: sdk.meterProvider })];
  const look = defineTool({ name: "look", description: "x", run: () => "seen" });
  const agent = new Agent({ model: new ScriptedModel(call("look"), say("Done.")), tools: [look], observers });
  const engine = new MemoryEngine({ restarting: true });
  await engine.start(agent, "r", { input: "Go." });
  expect(drawTree(sdk)).toEqual([
    "invoke_agent agent INTERNAL",
    "  generate_content gemini-scripted CLIENT",
    "invoke_agent agent INTERNAL -> invoke_agent agent",
    "  execute_tool look INTERNAL",
    "invoke_agent agent INTERNAL -> invoke_agent agent",
    "  generate_content gemini-scripted CLIENT",
    "invoke_agent agent INTERNAL -> invoke_agent agent",
  ]);
  const agents = sdk.spans.filter(({ name }) => name === "invoke_agent agent");
  const told = agents.map(({ attributes }) => [
    attributes["pollux.ended"],
    attributes["pollux.resumed"],
    attributes["gen_ai.usage.input_tokens"],
  ]);
  expect(told).toEqual([
    ["stopped", undefined, 10],
    ["stopped", true, 0],
    ["stopped", true, 10],
    [undefined, true, 0],
  ]);
  expect(await sdk.metrics()).toMatchObject({ "gen_ai.client.inference.usage.input_tokens": [{ value: 20 }] });
});

test("a run that its engine starts inside a call of another one is in its trace", async () => {
  const sdk = new Sdk();
  const observers = [openTelemetry({ tracerProvider: sdk.tracerProvider })];
  const look = defineTool({ name: "look", description: "x", run: () => "seen" });
  const helper = new Agent({
    name: "helper",
    model: new ScriptedModel(call("look"), say("Found.")),
    tools: [look],
    observers,
  });
  const model = new ScriptedModel(calls({ name: "helper", args: { task: "Find." } }), say("Done."));
  const agent = new Agent({ model, tools: [helper.asTool({ description: "x" })], observers });
  const engine = new MemoryEngine();
  engine.serve(helper);
  await engine.start(agent, "r", { input: "Go." });
  expect(drawTree(sdk)).toEqual([
    "invoke_agent agent INTERNAL",
    "  generate_content gemini-scripted CLIENT",
    "  invoke_agent helper INTERNAL",
    "    generate_content gemini-scripted CLIENT",
    "    execute_tool look INTERNAL",
    "    generate_content gemini-scripted CLIENT",
    "  generate_content gemini-scripted CLIENT",
  ]);
});
