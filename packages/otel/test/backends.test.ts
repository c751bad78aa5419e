import { convertGenAISpanAttributesToOpenInferenceSpanAttributes } from "@arizeai/openinference-genai";
import { SemanticConventions as Phoenix } from "@arizeai/openinference-semantic-conventions";
import type { RunResult } from "@pollux/core";
import { beforeEach, describe, expect, test } from "vitest";
import { jaegerKind, langfuseObservation } from "./helpers/backends.ts";
import { calculator, SUM } from "./helpers/calculator.ts";
import { type EndedSpan, keepContexts } from "./helpers/sdk.ts";

keepContexts();

let spans: readonly EndedSpan[];
let result: RunResult;

beforeEach(async () => {
  const { sdk, agent } = calculator(SUM, { captureContent: true });
  result = await agent.session({ id: "chat-1" }).send("What is 2 + 3?");
  ({ spans } = sdk);
});

test("Phoenix reads kind, model, tokens, messages and tools", () => {
  // Attributes that have OpenInference's own names win, such as `session.id`.
  const read = spans.map(({ attributes }) => ({
    ...convertGenAISpanAttributesToOpenInferenceSpanAttributes(attributes),
    ...attributes,
  }));
  expect(read.map((one) => Reflect.get(one, Phoenix.OPENINFERENCE_SPAN_KIND))).toEqual(["LLM", "TOOL", "LLM", "AGENT"]);
  const [first, tool, second] = read;
  const { usage } = result.response ?? {};
  expect(second).toMatchObject({
    [Phoenix.LLM_MODEL_NAME]: "gemini-3.8-flash",
    [Phoenix.LLM_TOKEN_COUNT_PROMPT]: usage?.inputTokens,
    [Phoenix.LLM_TOKEN_COUNT_COMPLETION]: (usage?.outputTokens ?? 0) + (usage?.thoughtTokens ?? 0),
    [Phoenix.SESSION_ID]: "chat-1",
    "llm.output_messages.0.message.role": "assistant",
  });
  expect(texts(second, "llm.output_messages.0")).toContain("It is 5.");
  expect(texts(first, "llm.input_messages")).toContain("What is 2 + 3?");
  expect(texts(first, "llm.output_messages.0")).toEqual(expect.arrayContaining(["add", '{"a":2,"b":3}']));
  expect(texts(first, "llm.tools.0")[0]).toMatch(/"name":"add"/);
  expect(tool).toMatchObject({
    [Phoenix.TOOL_NAME]: "add",
    [Phoenix.INPUT_VALUE]: '{"a":2,"b":3}',
    [Phoenix.OUTPUT_VALUE]: "5",
  });
});

test("Jaeger shows requests, tools and agents as such", () => {
  expect(spans.map(jaegerKind)).toEqual(["LLM", "TOOL", "LLM", "AGENT"]);
});

describe("Langfuse", () => {
  test("reads types, session, model, input and output", () => {
    const read = spans.map(langfuseObservation);
    expect(read.map(({ type, session, model }) => [type, session, model])).toEqual([
      ["GENERATION", "chat-1", "gemini-3.8-flash"],
      ["TOOL", "chat-1", undefined],
      ["GENERATION", "chat-1", "gemini-3.8-flash"],
      ["AGENT", "chat-1", undefined],
    ]);
    const question = { role: "user", parts: [{ type: "text", content: "What is 2 + 3?" }] };
    const answer = { role: "assistant", parts: [{ type: "text", content: "It is 5." }] };
    expect(read[0]?.input).toEqual([{ role: "system", parts: [{ type: "text", content: "Calculate." }] }, question]);
    expect([read[1]?.input, read[1]?.output]).toEqual([{ a: 2, b: 3 }, 5]);
    expect([read[3]?.input, read[3]?.output]).toEqual([[question], [answer]]);
  });

  test("sums tokens and money to those of the run", () => {
    const read = spans.map(langfuseObservation);
    const kinds = read.flatMap(({ usage }) => Object.keys(usage));
    expect(new Set(kinds)).toEqual(new Set(["input", "output", "reasoning.output_tokens"]));
    const total = read.flatMap(({ usage }) => Object.values(usage)).reduce((sum, count) => sum + count, 0);
    expect(total).toBe(result.usage.totalTokens);
    const cost = read.reduce((sum, one) => sum + Number(one.cost ?? 0), 0);
    expect(cost).toBeCloseTo(result.cost ?? 0, 12);
  });
});

/** All values below a name. */
function texts(attributes: object | undefined, prefix: string): readonly string[] {
  return Object.entries(attributes ?? {}).flatMap(([name, value]) => (name.startsWith(prefix) ? [String(value)] : []));
}
