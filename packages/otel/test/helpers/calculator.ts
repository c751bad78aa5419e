import { Agent, defineTool, endpoint, gemini } from "@pollux/core";
import { calls, createEmulator, say, script, type ScriptLine, think } from "@pollux/emulator";
import { z } from "zod";
import { openTelemetry, type OpenTelemetryOptions } from "../../src/index.ts";
import { Sdk } from "./sdk.ts";

const add = defineTool({
  name: "add",
  description: "Adds two numbers.",
  input: z.object({ a: z.number(), b: z.number() }),
  run: ({ a, b }) => a + b,
});

/** An agent whose service answers line by line, observed with these options. */
export function calculator(
  lines: readonly ScriptLine[],
  options: OpenTelemetryOptions = {},
): { readonly sdk: Sdk; readonly agent: Agent } {
  const sdk = new Sdk();
  const emulator = createEmulator({ brain: script([...lines]) });
  const { tracerProvider, meterProvider } = sdk;
  const agent = new Agent({
    name: "calculator",
    instructions: "Calculate.",
    model: gemini("gemini-3.8-flash", {
      endpoint: endpoint({ baseUrl: "http://emulator.local:8787", apiKey: "emulator" }),
      fetch: (url, init) => emulator.fetch(url, init),
      retry: { minDelayMs: 1, maxDelayMs: 1 },
    }),
    tools: [add],
    prices: { input: 1, output: 10 },
    observers: [openTelemetry({ tracerProvider, meterProvider, ...options })],
  });
  return { sdk, agent };
}

/** What it answers when it is asked for a sum: a thought and a call, then the sum. */
export const SUM: readonly ScriptLine[] = [
  [think("I add."), calls({ name: "add", args: { a: 2, b: 3 } })],
  say("It is ", "5."),
];
