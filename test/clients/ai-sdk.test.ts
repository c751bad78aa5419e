import { createGoogle } from "@ai-sdk/google";
import { createEmulator } from "@pollux/emulator";
import { generateText, isStepCount, streamText, tool } from "ai";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ANSWER, trip } from "../support/trip.ts";
import { MODEL, refusals } from "../support/world.ts";

const tools = {
  get_weather: tool({
    description: "Current weather in a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: ({ city }) => ({ city, celsius: 4 }),
  }),
  add: tool({
    description: "Adds two numbers.",
    inputSchema: z.object({ a: z.number(), b: z.number() }),
    execute: ({ a, b }) => a + b,
  }),
};

async function open() {
  const emulator = createEmulator({ brain: trip() });
  const server = await emulator.listen();
  const google = createGoogle({ baseURL: `${server.url}/v1beta`, apiKey: "emulator" });
  return { emulator, google, [Symbol.asyncDispose]: () => server.close() };
}

describe.each([MODEL, "gemini-2.5-flash-lite"])("the AI SDK with %s", (model) => {
  test("runs two tools, whole", async () => {
    await using opened = await open();
    const { google, emulator } = opened;
    const { text, steps } = await generateText({
      model: google(model),
      tools,
      stopWhen: isStepCount(5),
      prompt: "Weather?",
    });
    expect(text).toBe(ANSWER);
    expect(steps.map(({ toolCalls }) => toolCalls.length)).toEqual([2, 1, 0]);
    expect(refusals(emulator)).toEqual([]);
    expect(emulator.requests.map(({ answered }) => answered.operation)).toEqual(Array(3).fill("generateContent"));
  });

  test("runs two tools, streamed", async () => {
    await using opened = await open();
    const { google, emulator } = opened;
    const result = streamText({ model: google(model), tools, stopWhen: isStepCount(5), prompt: "Weather?" });
    let text = "";
    for await (const delta of result.textStream) text += delta;
    expect(text).toBe(`Let me look.${ANSWER}`);
    expect((await result.steps).map(({ toolCalls }) => toolCalls.length)).toEqual([2, 1, 0]);
    expect(refusals(emulator)).toEqual([]);
    expect(emulator.requests.map(({ answered }) => answered.operation)).toEqual(Array(3).fill("streamGenerateContent"));
  });

  test("stops at its step limit", async () => {
    await using opened = await open();
    const { google, emulator } = opened;
    const { finishReason } = await generateText({
      model: google(model),
      tools,
      stopWhen: isStepCount(2),
      prompt: "Weather?",
    });
    expect(finishReason).toBe("tool-calls");
    expect(emulator.requests).toHaveLength(2);
    expect(refusals(emulator)).toEqual([]);
  });
});
