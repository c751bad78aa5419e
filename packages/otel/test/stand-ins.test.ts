import { Agent, defineTool } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { openTelemetry } from "../src/index.ts";
import { Sdk } from "./helpers/sdk.ts";

const input = { type: "object" } as const;

test("the span of a call that went through a stand-in has its tool's name", async () => {
  const sdk = new Sdk();
  const tools = [
    { ...defineTool({ name: "call_tool", description: "x", input, run: () => "x" }), standsIn: true as const },
    { ...defineTool({ name: "pay", description: "Pays.", input, run: () => "paid" }), undeclared: true as const },
  ];
  const model = new ScriptedModel(call("call_tool", { name: "pay", input: { to: "Ann" } }), say("Done."));
  const observers = [openTelemetry({ tracerProvider: sdk.tracerProvider })];
  await new Agent({ model, tools, observers }).run("Pay Ann.");
  const span = sdk.spans.find(({ name }) => name.startsWith("execute_tool"));
  expect(span?.name).toBe("execute_tool pay");
  expect(span?.attributes["gen_ai.tool.name"]).toBe("pay");
});
