import { createGoogle } from "@ai-sdk/google";
import { createEmulator, type EmulatorOptions, json, grounded } from "@pollux/emulator";
import { generateText, isStepCount, Output, streamText, tool } from "ai";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ANSWER, byStep, trip } from "../support/trip.ts";
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

/** The SDK's provider, with an emulator on its own socket behind it. */
async function open(brain: EmulatorOptions["brain"] = trip()) {
  const emulator = createEmulator({ brain });
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

const forecast = z.object({ city: z.string(), celsius: z.number(), days: z.array(z.enum(["sun", "rain"])) });
const OSLO = { city: "Oslo", celsius: 4, days: ["rain", "sun"] } as const;

describe.each([MODEL, "gemini-2.5-flash-lite"])("the AI SDK's structured output with %s", (model) => {
  test("comes in pieces", async () => {
    await using opened = await open(byStep(() => json(OSLO)));
    const { google, emulator } = opened;
    const result = streamText({
      model: google(model),
      output: Output.object({ schema: forecast }),
      prompt: "Weather?",
    });
    const partial: unknown[] = [];
    for await (const object of result.partialOutputStream) partial.push(object);
    expect(partial.at(-1)).toEqual(OSLO);
    expect(await result.output).toEqual(OSLO);
    expect(refusals(emulator)).toEqual([]);
  });
});

describe.each([MODEL, "gemini-2.5-flash-lite"])("the AI SDK's search with %s", (model) => {
  const found = grounded("It rains in Oslo.", {
    queries: ["oslo rain"],
    sources: [{ title: "yr.no" }, { title: "met.no" }],
  });

  test("gives the answer's sources, whole and streamed", async () => {
    await using opened = await open(byStep(() => found));
    const { google, emulator } = opened;
    const asked = {
      model: google(model),
      tools: { google_search: google.tools.googleSearch({}) },
      prompt: "Does it rain in Oslo?",
    };
    const whole = await generateText(asked);
    expect(whole.text).toBe("It rains in Oslo.");
    expect(titles(whole.sources)).toEqual(["yr.no", "met.no"]);
    const streamed = streamText(asked);
    expect(await streamed.text).toBe("It rains in Oslo.");
    expect(titles(await streamed.sources)).toEqual(["yr.no", "met.no"]);
    expect(whole.providerMetadata?.["google"]).toMatchObject({
      groundingMetadata: { webSearchQueries: ["oslo rain"] },
    });
    expect(refusals(emulator)).toEqual([]);
  });
});

function titles(sources: readonly { readonly title?: string | undefined }[]): readonly (string | undefined)[] {
  return sources.map(({ title }) => title);
}
