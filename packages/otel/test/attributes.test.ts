import type { Content } from "@pollux/core";
import { calls, fault, faults, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { calculator, SUM } from "./helpers/calculator.ts";
import { parseContent } from "./helpers/message-schemas.ts";
import { keepContexts } from "./helpers/sdk.ts";

keepContexts();

/** The id that the service gave to the only call. */
function callIdIn(contents: readonly Content[]): string | undefined {
  return contents.flatMap(({ parts }) => parts.map((part) => part.functionCall?.id)).find((id) => id !== undefined);
}

describe("the spans of a run", () => {
  test("have the attributes of the conventions, and no content", async () => {
    const { sdk, agent } = calculator(SUM);
    const settings = { temperature: 0.5, maxOutputTokens: 900, seed: 7, thinking: "low", topK: 3 } as const;
    const { usage, cost, response, contents } = await agent.run("What is 2 + 3?", { runId: "r", ...settings });
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
      "gen_ai.tool.description": "Adds two numbers.",
      "gen_ai.tool.call.id": callIdIn(contents),
      "gen_ai.agent.name": "calculator",
      "pollux.turn": 1,
      "pollux.call.id": "call:1.0",
    });
    expect(run?.attributes).toEqual({
      "gen_ai.operation.name": "invoke_agent",
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

  test("name the session in the words of the conventions and of the backends that have their own", async () => {
    const { sdk, agent } = calculator(SUM);
    await agent.session({ id: "chat-1" }).send("What is 2 + 3?");
    const ids = sdk.spans.map(({ attributes }) => [attributes["gen_ai.conversation.id"], attributes["session.id"]]);
    expect(ids).toEqual(Array.from({ length: 4 }, () => ["chat-1", "chat-1"]));
  });

  test("have messages, instructions, definitions, arguments and results when content is captured", async () => {
    const { sdk, agent } = calculator(SUM, { captureContent: true });
    const { contents } = await agent.run("What is 2 + 3?", { includeThoughts: true });
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
      ["execute_tool nothing", "not-found", undefined],
      ["generate_content gemini-3.8-flash", "400", expect.stringContaining("no")],
      ["invoke_agent calculator", "400", expect.stringContaining("no")],
    ]);
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
    expect(metrics["gen_ai.invoke_agent.inference_calls"]).toMatchObject([{ value: { count: 1, sum: 2 } }]);
    expect(metrics["gen_ai.invoke_agent.tool_calls"]).toMatchObject([
      { attributes: { "gen_ai.agent.name": "calculator" }, value: { count: 1, sum: 1 } },
    ]);
    expect(metrics["pollux.cost"]).toMatchObject([{ attributes, value: expect.closeTo(cost ?? 0, 12) as unknown }]);
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
