import {
  type CallableTool,
  type Content,
  type FunctionDeclaration,
  type GenerateContentResponse,
  GoogleGenAI,
} from "@google/genai";
import { createEmulator, type Emulator, type EmulatorOptions, json, grounded } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { ANSWER, byStep, trip } from "../support/trip.ts";
import { MODEL, refusals } from "../support/world.ts";

const FUNCTIONS: Readonly<Record<string, (args: { readonly [name: string]: unknown }) => unknown>> = {
  get_weather: ({ city }) => ({ city, celsius: 4 }),
  add: ({ a, b }) => Number(a) + Number(b),
};

const functionDeclarations: FunctionDeclaration[] = [
  {
    name: "get_weather",
    description: "Current weather in a city.",
    parametersJsonSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
  {
    name: "add",
    description: "Adds two numbers.",
    parametersJsonSchema: {
      type: "object",
      properties: { a: { type: "number" }, b: { type: "number" } },
      required: ["a", "b"],
    },
  },
];

const automatic: CallableTool = {
  tool: () => Promise.resolve({ functionDeclarations }),
  callTool: (made) =>
    Promise.resolve(
      made.map(({ id, name = "", args = {} }) => ({
        functionResponse: { ...(id === undefined ? {} : { id }), name, response: { output: FUNCTIONS[name]?.(args) } },
      })),
    ),
};

/** Google's SDK against an emulator on its own socket. */
async function open(options: EmulatorOptions = {}) {
  const emulator = createEmulator({ brain: trip(), ...options });
  const server = await emulator.listen();
  const ai = new GoogleGenAI({ apiKey: "emulator", httpOptions: { baseUrl: server.url, apiVersion: "v1beta" } });
  return { ai, emulator, [Symbol.asyncDispose]: () => server.close() };
}

function expectThreeRequests(emulator: Emulator, operation: string): void {
  expect(refusals(emulator)).toEqual([]);
  expect(emulator.requests.map(({ answered }) => answered.operation)).toEqual([operation, operation, operation]);
}

describe.each([MODEL, "gemini-2.5-flash-lite", "gemini-4-argon"])("Google's SDK with %s", (model) => {
  test.each(["generateContent", "streamGenerateContent"])(
    "runs a loop of its user's own over %s",
    async (operation) => {
      await using opened = await open();
      const { ai, emulator } = opened;
      const contents: Content[] = [{ role: "user", parts: [{ text: "Weather?" }] }];
      let text = "";
      for (let turn = 0; turn < 5; turn++) {
        const request = { model, contents, config: { tools: [{ functionDeclarations }] } };
        const parts: NonNullable<Content["parts"]> = [];
        if (operation === "generateContent") {
          parts.push(...((await ai.models.generateContent(request)).candidates?.[0]?.content?.parts ?? []));
        } else {
          for await (const chunk of await ai.models.generateContentStream(request))
            parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
        }
        contents.push({ role: "model", parts });
        const made = parts.flatMap(({ functionCall }) => functionCall ?? []);
        if (made.length === 0) {
          text = parts.map((part) => part.text ?? "").join("");
          break;
        }
        contents.push({ role: "user", parts: await automatic.callTool(made) });
      }
      expect(text).toBe(ANSWER);
      expectThreeRequests(emulator, operation);
    },
  );

  test("calls functions by itself, whole", async () => {
    await using opened = await open();
    const { ai, emulator } = opened;
    const response = await ai.models.generateContent({ model, contents: "Weather?", config: { tools: [automatic] } });
    expect(response.text).toBe(ANSWER);
    expectThreeRequests(emulator, "generateContent");
  });

  test("calls functions by itself, streamed", async () => {
    await using opened = await open();
    const { ai, emulator } = opened;
    let text = "";
    const stream = await ai.models.generateContentStream({
      model,
      contents: "Weather?",
      config: { tools: [automatic] },
    });
    for await (const chunk of stream)
      for (const part of chunk.candidates?.[0]?.content?.parts ?? []) text += part.text ?? "";
    expect(text).toBe(`Let me look.${ANSWER}`);
    expectThreeRequests(emulator, "streamGenerateContent");
  });

  test("holds a conversation", async () => {
    await using opened = await open();
    const { ai, emulator } = opened;
    const chat = ai.chats.create({ model, config: { tools: [automatic] } });
    expect((await chat.sendMessage({ message: "Weather?" })).text).toBe(ANSWER);
    let streamed = "";
    for await (const chunk of await chat.sendMessageStream({ message: "And now?" })) {
      for (const part of chunk.candidates?.[0]?.content?.parts ?? []) streamed += part.text ?? "";
    }
    expect(streamed).toContain(ANSWER);
    expect(emulator.requests).toHaveLength(6);
    expect(refusals(emulator)).toEqual([]);
  });
});

test("Google's SDK reads lists, counts and refusals", async () => {
  await using opened = await open();
  const { ai, emulator } = opened;
  const names: string[] = [];
  for await (const { name } of await ai.models.list()) names.push(name ?? "");
  expect(names).toContain(`models/${MODEL}`);
  expect((await ai.models.countTokens({ model: MODEL, contents: "How long is this?" })).totalTokens).toBeGreaterThan(2);
  await expect(ai.models.generateContent({ model: "gemini-0-nothing", contents: "Hi." })).rejects.toMatchObject({
    status: 404,
  });
  await expect(
    ai.models.generateContent({
      model: MODEL,
      contents: [{ role: "user", parts: [{ functionResponse: { name: "x", response: {} } }] }],
    }),
  ).rejects.toMatchObject({ status: 400 });
  expect(refusals(emulator)).toHaveLength(2);
});

describe.each([MODEL, "gemini-2.5-flash-lite"])("Google's SDK with %s", (model) => {
  test("keeps a conversation as it was, and counts it", async () => {
    await using opened = await open();
    const { ai, emulator } = opened;
    const chat = ai.chats.create({ model, config: { tools: [automatic] } });
    await chat.sendMessage({ message: "Weather?" });
    await chat.sendMessage({ message: "And now?" });
    const history = chat.getHistory();
    expect(history.map(({ role }) => role).join()).toBe(`${"user,model,".repeat(5)}user,model`);
    expect(emulator.requests.at(-1)?.body).toMatchObject({ contents: history.slice(0, -1) });
    const { totalTokens = 0 } = await ai.models.countTokens({ model, contents: history });
    const first = await ai.models.countTokens({ model, contents: history.slice(0, 1) });
    expect(totalTokens).toBeGreaterThan(first.totalTokens ?? 0);
    expect(refusals(emulator)).toEqual([]);
  });

  test("reads JSON by a schema and the sources of a search, whole and streamed", async () => {
    const sun = json({ sky: "sun" });
    const found = grounded("It rains in Oslo.", { queries: ["oslo rain"], sources: [{ title: "yr.no" }] });
    await using opened = await open({ brain: byStep(({ request }) => (request.tools ? found : sun)) });
    const { ai, emulator } = opened;
    const schema = { type: "object", properties: { sky: { type: "string" } }, required: ["sky"] };
    const written = await ai.models.generateContent({
      model,
      contents: "How is the sky?",
      config: { responseMimeType: "application/json", responseJsonSchema: schema },
    });
    expect(JSON.parse(written.text ?? "")).toEqual({ sky: "sun" });
    const asked = { model, contents: "Does it rain in Oslo?", config: { tools: [{ googleSearch: {} }] } };
    const whole = await ai.models.generateContent(asked);
    const chunks: GenerateContentResponse[] = [];
    for await (const chunk of await ai.models.generateContentStream(asked)) chunks.push(chunk);
    expect([whole.text, chunks.map(({ text }) => text ?? "").join("")]).toEqual(Array(2).fill("It rains in Oslo."));
    for (const answer of [whole, chunks.at(-1)])
      expect(answer?.candidates?.[0]?.groundingMetadata?.groundingChunks?.[0]?.web?.title).toBe("yr.no");
    expect(refusals(emulator)).toEqual([]);
  });
});
