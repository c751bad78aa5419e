import { Agent, type Content, endpoint, gemini } from "@pollux/core";
import { calls, fault, faults, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { calculator, SUM } from "./helpers/calculator.ts";
import { parseContent } from "./helpers/message-schemas.ts";
import { openTelemetry } from "../src/index.ts";
import { keepContexts, Sdk } from "./helpers/sdk.ts";

keepContexts();

/** The id that the service gave to the only call. */
function callIdIn(contents: readonly Content[]): string | undefined {
  return contents.flatMap(({ parts }) => parts.map((part) => part.functionCall?.id)).find((id) => id !== undefined);
}

describe("the spans of a run", () => {
  test("have the attributes of the conventions, and no content", async () => {
    const { sdk, agent } = calculator(SUM);
    const settings = { temperature: 0.5, maxOutputTokens: 900, seed: 7, thinking: "low", topK: 3 } as const;
    const { usage, cost, response, contents } = await agent.run("What is 2 + 3?", { runId: "r", settings });
    const [first, tool, second, run] = sdk.spans;
    const request = {
      "gen_ai.operation.name": "generate_content",
      "gen_ai.provider.name": "gcp.gemini",
      "gen_ai.request.model": "gemini-3.8-flash",
      "server.address": "emulator.local",
      "server.port": 8787,
      "gen_ai.agent.name": "calculator",
      "gen_ai.request.stream": true,
      "gen_ai.request.temperature": 0.5,
      "gen_ai.request.max_tokens": 900,
      "gen_ai.request.seed": 7,
      "gen_ai.request.top_k": 3,
      "gen_ai.request.reasoning.level": "low",
      "gen_ai.response.model": "gemini-3.8-flash",
      "gen_ai.response.id": expect.any(String) as unknown,
      "gen_ai.response.time_to_first_chunk": expect.any(Number) as unknown,
      "gen_ai.usage.input_tokens": expect.any(Number) as unknown,
      "gen_ai.usage.output_tokens": expect.any(Number) as unknown,
      "gen_ai.usage.cost": expect.any(Number) as unknown,
      "pollux.cost": expect.any(Number) as unknown,
    };
    expect(first?.attributes).toEqual({
      ...request,
      "pollux.turn": 1,
      "gen_ai.response.finish_reasons": ["tool_call"],
      "gen_ai.usage.reasoning.output_tokens": expect.any(Number) as unknown,
    });
    expect(second?.attributes).toEqual({
      ...request,
      "pollux.turn": 2,
      "gen_ai.response.id": response?.envelope.responseId,
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.usage.input_tokens": response?.usage.inputTokens,
      "gen_ai.usage.output_tokens": (response?.usage.outputTokens ?? 0) + (response?.usage.thoughtTokens ?? 0),
      "gen_ai.usage.reasoning.output_tokens": response?.usage.thoughtTokens,
    });
    expect(tool?.attributes).toEqual({
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "add",
      "gen_ai.tool.type": "function",
      "gen_ai.tool.call.id": callIdIn(contents),
      "gen_ai.agent.name": "calculator",
      "pollux.turn": 1,
      "pollux.call.id": "call:1.0",
      "pollux.reads": "both",
    });
    expect(run?.attributes).toEqual({
      "gen_ai.operation.name": "invoke_agent",
      "pollux.reads": "both",
      "gen_ai.agent.name": "calculator",
      "gen_ai.request.model": "gemini-3.8-flash",
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.usage.input_tokens": usage.inputTokens,
      "gen_ai.usage.output_tokens": usage.outputTokens + usage.thoughtTokens,
      "pollux.run.id": "r",
      "pollux.turns": 2,
      "pollux.stop_reason": "finished",
      "pollux.cost": cost,
    });
    const spent = [first, second].reduce((sum, span) => sum + Number(span?.attributes["gen_ai.usage.cost"]), 0);
    expect(spent).toBeCloseTo(cost ?? 0, 12);
  });

  test("have the day of the price list beside a cost", async () => {
    const { sdk, agent } = calculator(SUM);
    const prices = { asOf: "2026-11-23", models: { "gemini-3.8-flash": { input: 1, output: 10 } } };
    await agent.run("What is 2 + 3?", { prices });
    const days = sdk.spans.map(({ attributes }) => [
      attributes["pollux.cost"] !== undefined,
      attributes["pollux.prices_as_of"],
    ]);
    expect(days).toEqual([
      [true, "2026-11-23"],
      [false, undefined],
      [true, "2026-11-23"],
      [true, "2026-11-23"],
    ]);
    expect((await sdk.metrics())["pollux.cost"]).toMatchObject([
      { attributes: { "pollux.prices_as_of": "2026-11-23" } },
    ]);
  });

  test("have no cost of a run in which a model had no price", async () => {
    const { sdk, agent } = calculator(SUM);
    let turn = 0;
    await agent.run("What is 2 + 3?", {
      hooks: { prepareTurn: (next) => void (turn = next.turn) },
      prices: () => (turn === 1 ? { input: 1, output: 10 } : undefined),
    });
    expect(sdk.spans.at(-1)?.attributes).not.toHaveProperty("pollux.cost");
  });

  test("name the session in the words of the conventions and of the backends that have their own", async () => {
    const { sdk, agent } = calculator(SUM);
    await agent.session({ id: "chat-1" }).send("What is 2 + 3?");
    const ids = sdk.spans.map(({ attributes }) => [attributes["gen_ai.conversation.id"], attributes["session.id"]]);
    expect(ids).toEqual(Array.from({ length: 4 }, () => ["chat-1", "chat-1"]));
  });

  test("have messages, instructions, definitions, arguments and results when content is captured", async () => {
    const { sdk, agent } = calculator(SUM, { captureContent: true });
    const { contents } = await agent.run("What is 2 + 3?", { settings: { includeThoughts: true } });
    const id = callIdIn(contents);
    const [first, tool, second, run] = sdk.spans;
    const question = [{ role: "user", parts: [{ type: "text", content: "What is 2 + 3?" }] }];
    const answer = [{ role: "assistant", parts: [{ type: "text", content: "It is 5." }] }];
    expect(parseContent(first?.attributes ?? {})).toEqual({
      "gen_ai.system_instructions": [{ type: "text", content: "Calculate." }],
      "gen_ai.tool.definitions": [
        {
          type: "function",
          name: "add",
          description: "Adds two numbers.",
          parameters: expect.objectContaining({ type: "object", required: ["a", "b"] }) as unknown,
        },
      ],
      "gen_ai.input.messages": question,
      "gen_ai.output.messages": [
        {
          role: "assistant",
          parts: [
            { type: "reasoning", content: "I add." },
            { type: "tool_call", id, name: "add", arguments: { a: 2, b: 3 } },
          ],
        },
      ],
    });
    expect(parseContent(second?.attributes ?? {})).toEqual({
      "gen_ai.input.messages": [
        { role: "tool", parts: [{ type: "tool_call_response", id, name: "add", response: { output: 5 } }] },
      ],
      "gen_ai.output.messages": answer,
    });
    expect([first, second].map((span) => span?.attributes["pollux.messages.from"])).toEqual([0, 2]);
    expect(parseContent(run?.attributes ?? {})).toEqual({
      "gen_ai.input.messages": question,
      "gen_ai.output.messages": answer,
    });
    expect(tool?.attributes).toMatchObject({
      "gen_ai.tool.call.arguments": '{"a":2,"b":3}',
      "gen_ai.tool.call.result": "5",
    });
    expect(JSON.stringify(sdk.spans.map(({ attributes }) => attributes))).not.toMatch(/signature/i);
  });

  test("say what failed: a request, a tool and the run", async () => {
    const { sdk, agent } = calculator([calls({ name: "nothing", args: {} }), () => Promise.reject(new Error("no"))]);
    await expect(agent.run("Go.")).rejects.toThrow();
    const failures = sdk.spans.map(({ name, status, attributes }) => [name, attributes["error.type"], status.message]);
    expect(failures).toEqual([
      ["generate_content gemini-3.8-flash", undefined, undefined],
      ["execute_tool unknown", "not-found", undefined],
      ["generate_content gemini-3.8-flash", "400", undefined],
      ["invoke_agent calculator", "400", undefined],
    ]);
  });

  test("name the address of a service without the brackets of a URL", async () => {
    const sdk = new Sdk();
    const model = gemini("gemini-3.8-flash", {
      endpoint: endpoint({ baseUrl: "http://[::1]", apiKey: "x" }),
      fetch: () => Promise.reject(new Error("no")),
      retry: { maxAttempts: 1 },
    });
    const observers = [openTelemetry({ tracerProvider: sdk.tracerProvider })];
    await new Agent({ model, observers }).run("Go.").catch(() => {});
    expect(sdk.spans[0]?.attributes).toMatchObject({ "server.address": "::1", "server.port": 80 });
  });
});

describe("metrics", () => {
  test("have the names, units and attributes of the conventions", async () => {
    const { sdk, agent } = calculator(SUM);
    const { usage, cost } = await agent.run("What is 2 + 3?");
    const metrics = await sdk.metrics();
    expect(Object.fromEntries(Object.entries(metrics).map(([name, points]) => [name, points[0]?.unit]))).toEqual({
      "gen_ai.client.inference.duration": "s",
      "gen_ai.client.inference.time_to_first_chunk": "s",
      "gen_ai.client.inference.time_per_output_chunk": "s",
      "gen_ai.client.inference.usage.input_tokens": "{token}",
      "gen_ai.client.inference.usage.output_tokens": "{token}",
      "gen_ai.client.inference.usage.reasoning.output_tokens": "{token}",
      "gen_ai.client.inference.operation.input_tokens": "{token}",
      "gen_ai.client.inference.operation.output_tokens": "{token}",
      "gen_ai.invoke_agent.duration": "s",
      "gen_ai.invoke_agent.inference_calls": "{call}",
      "gen_ai.invoke_agent.tool_calls": "{call}",
      "gen_ai.execute_tool.duration": "s",
      "pollux.cost": "{cost}",
    });
    const attributes = {
      "gen_ai.operation.name": "generate_content",
      "gen_ai.provider.name": "gcp.gemini",
      "gen_ai.request.model": "gemini-3.8-flash",
      "gen_ai.response.model": "gemini-3.8-flash",
      "server.address": "emulator.local",
      "server.port": 8787,
    };
    expect(metrics["gen_ai.client.inference.duration"]).toMatchObject([{ attributes, value: { count: 2 } }]);
    const input = metrics["gen_ai.client.inference.usage.input_tokens"] ?? [];
    expect(input).toEqual([
      { unit: "{token}", attributes: { ...attributes, "gen_ai.token.modality": "text" }, value: usage.inputTokens },
    ]);
    expect(metrics["gen_ai.client.inference.usage.reasoning.output_tokens"]).toEqual([
      {
        unit: "{token}",
        attributes: { ...attributes, "gen_ai.token.modality": "unknown" },
        value: usage.thoughtTokens,
      },
    ]);
    expect(metrics["gen_ai.invoke_agent.inference_calls"]).toMatchObject([{ value: { count: 1, sum: 2 } }]);
    expect(metrics["gen_ai.invoke_agent.tool_calls"]).toMatchObject([
      { attributes: { "gen_ai.agent.name": "calculator" }, value: { count: 1, sum: 1 } },
    ]);
    expect(metrics["gen_ai.invoke_agent.duration"]).toMatchObject([
      { attributes: { "gen_ai.agent.name": "calculator" }, value: { count: 1 } },
    ]);
    expect(metrics["gen_ai.execute_tool.duration"]?.[0]?.attributes).toEqual({
      "gen_ai.tool.name": "add",
      "gen_ai.tool.type": "function",
      "gen_ai.agent.name": "calculator",
    });
    expect(metrics["pollux.cost"]).toMatchObject([{ attributes, value: expect.closeTo(cost ?? 0, 12) as unknown }]);
  });

  test("count tokens by modality where the service does, and otherwise as unknown", async () => {
    const sdk = new Sdk();
    const details = (...counts: readonly (readonly [string, number])[]): object[] =>
      counts.map(([modality, tokenCount]) => ({ modality, tokenCount }));
    const usageMetadata = {
      promptTokenCount: 300,
      promptTokensDetails: details(["TEXT", 100], ["IMAGE", 200]),
      toolUsePromptTokenCount: 50,
      cachedContentTokenCount: 90,
      cacheTokensDetails: details(["TEXT", 90]),
      candidatesTokenCount: 20,
      candidatesTokensDetails: details(["TEXT", 20]),
      thoughtsTokenCount: 7,
    };
    const candidates = [{ content: { role: "model", parts: [{ text: "Hi." }] }, finishReason: "STOP" }];
    const model = gemini("gemini-3.8-flash", {
      endpoint: endpoint({ baseUrl: "http://emulator.local:8787", apiKey: "x" }),
      transport: "unary",
      fetch: () => Promise.resolve(Response.json({ candidates, usageMetadata })),
    });
    const observers = [openTelemetry({ meterProvider: sdk.meterProvider })];
    await new Agent({ model, observers }).run("Go.");
    const metrics = await sdk.metrics();
    const countsOf = (name: string): unknown =>
      Object.fromEntries(
        (metrics[`gen_ai.client.inference.usage.${name}`] ?? []).map(({ attributes, value }) => [
          attributes["gen_ai.token.modality"],
          value,
        ]),
      );
    expect(countsOf("input_tokens")).toEqual({ text: 100, image: 200, unknown: 50 });
    expect(countsOf("output_tokens")).toEqual({ text: 20, unknown: 7 });
    expect(countsOf("cache_read.input_tokens")).toEqual({ text: 90 });
    expect(countsOf("reasoning.output_tokens")).toEqual({ unknown: 7 });
  });

  test("do not have the names of tools that the model made up", async () => {
    const { sdk, agent } = calculator([calls({ name: "nothing", args: {} }), say("Sorry.")]);
    await agent.run("Go.");
    expect(sdk.find("execute_tool unknown").attributes["gen_ai.tool.name"]).toBe("unknown");
    const { "gen_ai.execute_tool.duration": durations } = await sdk.metrics();
    expect(durations).toMatchObject([{ attributes: { "gen_ai.tool.name": "unknown", "error.type": "not-found" } }]);
  });

  test("of times in seconds have the buckets that the conventions advise", async () => {
    const { sdk, agent } = calculator(SUM);
    await agent.run("What is 2 + 3?");
    const advised = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
    const ofRuns = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6];
    const metrics = Object.entries(await sdk.metrics()).filter(([, [point]]) => point?.unit === "s");
    expect(Object.fromEntries(metrics.map(([name, [point]]) => [name, point?.value]))).toMatchObject({
      "gen_ai.client.inference.duration": { boundaries: advised },
      "gen_ai.client.inference.time_to_first_chunk": { boundaries: advised },
      "gen_ai.client.inference.time_per_output_chunk": { boundaries: advised },
      "gen_ai.execute_tool.duration": { boundaries: advised },
      "gen_ai.invoke_agent.duration": { boundaries: ofRuns },
    });
  });

  test("have the names of 2025 as well when they are asked for", async () => {
    const { sdk, agent } = calculator(SUM, { metrics: "2025" });
    const { usage } = await agent.run("What is 2 + 3?");
    const metrics = await sdk.metrics();
    expect(metrics["gen_ai.client.operation.duration"]).toMatchObject([{ value: { count: 2 } }]);
    expect(metrics["gen_ai.client.operation.time_to_first_chunk"]).toMatchObject([{ value: { count: 2 } }]);
    expect(metrics["gen_ai.client.token.usage"]).toMatchObject([
      { attributes: { "gen_ai.token.type": "input" }, value: { count: 2, sum: usage.inputTokens } },
      { attributes: { "gen_ai.token.type": "output" }, value: { sum: usage.outputTokens + usage.thoughtTokens } },
    ]);
  });

  test("count retries, and answers that were asked for again", async () => {
    const { sdk, agent } = calculator([fault(faults.overloaded()), [], say("Now.")]);
    await agent.run("Go.");
    const metrics = await sdk.metrics();
    expect(metrics["pollux.retries"]).toMatchObject([{ attributes: { "error.type": "503" }, value: 1 }]);
    expect(metrics["pollux.recoveries"]).toMatchObject([
      { attributes: { "pollux.recover.problem": "empty" }, value: 1 },
    ]);
    expect(sdk.find("generate_content gemini-3.8-flash").events).toMatchObject([
      {
        name: "pollux.retry",
        attributes: { "error.type": "503", "pollux.retry.delay": expect.any(Number) as unknown },
      },
    ]);
    expect(sdk.find("invoke_agent calculator").events).toMatchObject([
      { name: "pollux.recover", attributes: { "pollux.turn": 1, "pollux.recover.problem": "empty" } },
    ]);
  });
});
