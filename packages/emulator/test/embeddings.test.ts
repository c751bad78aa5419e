import { describe, expect, test } from "vitest";
import { createEmulator, type Emulator, type EmulatorOptions } from "../src/index.ts";
import { post } from "./support.ts";

const FIRST = "gemini-embedding-001";
const MODEL = "gemini-embedding-2";
const content = (text: string) => ({ parts: [{ text }] });

async function embed(
  emulator: Emulator,
  text: string,
  outputDimensionality?: number,
  model: string = MODEL,
): Promise<number[]> {
  const response = await post(emulator, "embedContent", { content: content(text), outputDimensionality }, model);
  expect(response.status).toBe(200);
  return ((await response.json()) as { embedding: { values: number[] } }).embedding.values;
}

const dot = (left: readonly number[], right: readonly number[]): number =>
  left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);

test("a text becomes a vector of length 1, the same on every emulator", async () => {
  const [first, again] = [await embed(createEmulator(), "Rain in Oslo"), await embed(createEmulator(), "Rain in Oslo")];
  expect([first.length, again]).toEqual([3072, first]);
  expect(dot(first, first)).toBeCloseTo(1, 5);
});

test("a reduced vector is the beginning of the whole one, normalized by the second generation only", async () => {
  const emulator = createEmulator();
  const whole = await embed(emulator, "Rain in Oslo");
  const reduced = await embed(emulator, "Rain in Oslo", 256);
  const scale = (whole[0] ?? 0) / (reduced[0] ?? 0);
  expect(reduced).toHaveLength(256);
  for (const [index, value] of reduced.entries()) expect(value * scale).toBeCloseTo(whole[index] ?? 0, 6);
  expect(dot(reduced, reduced)).toBeCloseTo(1, 5);
  const first = await embed(emulator, "Rain in Oslo", 256, FIRST);
  expect(dot(first, first)).toBeCloseTo(256 / 3072, 5);
});

test("texts that share words, or words that share letters, lie closer together", async () => {
  const emulator = createEmulator();
  const [oslo, bergen, stocks] = [
    await embed(emulator, "the weather in Oslo"),
    await embed(emulator, "the weather in Bergen"),
    await embed(emulator, "quarterly earnings fell"),
  ] as const;
  expect(dot(oslo, bergen)).toBeGreaterThan(dot(oslo, stocks) + 0.3);
  const [paint, painting] = [await embed(emulator, "paint"), await embed(emulator, "painting")] as const;
  expect(dot(paint, painting)).toBeGreaterThan(dot(paint, stocks) + 0.1);
});

test("phrases that name the task do not separate a question from its documents", async () => {
  const emulator = createEmulator();
  const question = await embed(emulator, "task: search result | query: weather in Oslo");
  expect(await embed(emulator, "title: none | text: weather in Oslo")).toEqual(question);
  expect(await embed(emulator, "weather in Oslo")).toEqual(question);
});

test("media count as a whole, and only for models that read them", async () => {
  const image = { inlineData: { mimeType: "image/png", data: "iVBORw0KGgo=" } };
  const emulator = createEmulator();
  const both = await post(emulator, "embedContent", { content: { parts: [{ text: "cat" }, image] } }, MODEL);
  expect(await both.json()).toMatchObject({
    usageMetadata: {
      promptTokenCount: 259,
      promptTokenDetails: [
        { modality: "TEXT", tokenCount: 1 },
        { modality: "IMAGE", tokenCount: 258 },
      ],
    },
  });
  expect((await post(emulator, "embedContent", { content: { parts: [image] } }, FIRST)).status).toBe(400);
});

test.each([
  [MODEL, { usageMetadata: { promptTokenCount: 3, promptTokenDetails: [{ modality: "TEXT", tokenCount: 3 }] } }],
  [FIRST, {}],
])("a batch gives one vector for each request, and %s its usage", async (model, usage) => {
  const emulator = createEmulator();
  const requests = ["a", "cherry"].map((text) => ({ model: `models/${model}`, content: content(text) }));
  const response = await post(emulator, "batchEmbedContents", { requests }, model);
  expect(await response.json()).toEqual({
    embeddings: [
      { values: await embed(emulator, "a", undefined, model) },
      { values: await embed(emulator, "cherry", undefined, model) },
    ],
    ...usage,
  });
  expect(emulator.requests[0]?.answered).toEqual({
    status: 200,
    operation: "batchEmbedContents",
    model,
    complete: true,
  });
});

const batchOf = (count: number, model = `models/${MODEL}`) => ({
  requests: Array.from({ length: count }, () => ({ model, content: content("x") })),
});

test.each([
  ["embedContent", { content: content("x"), outputDimensionality: 3073 }, 400, "X-1"],
  ["batchEmbedContents", batchOf(101), 400, "X-1"],
  ["batchEmbedContents", batchOf(1, "models/gemini-embedding-001"), 400, "X-1"],
  ["batchEmbedContents", { requests: [{ content: content("x") }] }, 400, "X-1"],
  ["embedContent", {}, 400, "E-04"],
  ["batchEmbedContents", {}, 400, "E-04"],
  ["embedContent", { contents: [] }, 400, "E-01"],
  ["embedContent", { content: content("x"), taskType: "SEARCH" }, 400, "E-03"],
])("an embedding out of bounds is refused: %s %#", async (method, body, status, rule) => {
  const emulator = createEmulator();
  expect((await post(emulator, method, body, MODEL)).status).toBe(status);
  expect(emulator.requests.at(-1)?.answered).toEqual({ status, operation: method, rule, complete: true });
});

test("an unknown task type is refused with its path", async () => {
  const body = { requests: [{ model: `models/${MODEL}`, content: content("x"), taskType: "SEARCH" }] };
  const response = await post(createEmulator(), "batchEmbedContents", body, MODEL);
  const message =
    "Invalid value at 'requests[0].task_type' (type.googleapis.com/google.ai.generativelanguage.v1beta.TaskType), \"SEARCH\"";
  expect(await response.json()).toMatchObject({ error: { code: 400, status: "INVALID_ARGUMENT", message } });
});

test("models that generate embed nothing, and say so in the name of the single method", async () => {
  const response = await post(createEmulator(), "batchEmbedContents", { requests: [] }, "gemini-3.8-flash");
  expect([response.status, ((await response.json()) as { error: { message: string } }).error.message]).toEqual([
    404,
    expect.stringContaining("or is not supported for embedContent."),
  ]);
});

test.each(["developer-v1", "comet", "old-proxy"] as const)("the %s profile has both methods", async (profile) => {
  const emulator = createEmulator({ profile });
  const version = profile === "developer-v1" ? "v1" : "v1beta";
  const headers = { "x-goog-api-key": "emulator" };
  for (const [method, body] of [
    ["embedContent", { content: content("x"), outputDimensionality: 4 }],
    ["batchEmbedContents", batchOf(2)],
  ] as const) {
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    expect((await emulator.fetch(`/${version}/models/${MODEL}:${method}`, init)).status).toBe(200);
  }
  const refused = await emulator.fetch(`/${version}/models/${MODEL}:embedContent`, {
    method: "POST",
    headers,
    body: "{}",
  });
  expect(refused.status).toBe(400);
});

describe("on Vertex", () => {
  async function send(model: string, method: string, body: object, options: EmulatorOptions = {}) {
    const emulator = createEmulator({ profile: "vertex", ...options });
    const path = `/v1beta1/projects/p/locations/global/publishers/google/models/${model}:${method}`;
    const init = { method: "POST", headers: { authorization: "Bearer token" }, body: JSON.stringify(body) };
    const response = await emulator.fetch(path, init);
    return { status: response.status, body: (await response.json()) as { error?: { message: string } } };
  }

  test("the first generation predicts, one instance at a time", async () => {
    const instances = [{ content: "Rain in Oslo", task_type: "RETRIEVAL_DOCUMENT", title: "Weather" }];
    expect(await send(FIRST, "predict", { instances, parameters: { outputDimensionality: 4 } })).toEqual({
      status: 200,
      body: {
        predictions: [
          {
            embeddings: {
              values: [expect.any(Number), expect.any(Number), expect.any(Number), expect.any(Number)],
              statistics: { truncated: false, token_count: 3 },
            },
          },
        ],
        metadata: { billableCharacterCount: 10 },
      },
    });
  });

  test("the second generation embeds one content", async () => {
    const body = { content: content("Rain in Oslo"), embedContentConfig: { outputDimensionality: 4 } };
    expect(await send(MODEL, "embedContent", body)).toEqual({
      status: 200,
      body: {
        embedding: { values: [expect.any(Number), expect.any(Number), expect.any(Number), expect.any(Number)] },
        usageMetadata: {
          promptTokenCount: 3,
          totalTokenCount: 3,
          promptTokensDetails: [{ modality: "TEXT", tokenCount: 3 }],
        },
      },
    });
  });

  const long = "word ".repeat(8_000);
  test("what is too long is cut off, unless the caller does not want that", async () => {
    const cut = await send(FIRST, "predict", { instances: [{ content: long }] });
    expect(cut.body).toMatchObject({
      predictions: [{ embeddings: { statistics: { truncated: true, token_count: 2048 } } }],
    });
    expect(await send(MODEL, "embedContent", { content: content(long) })).toMatchObject({ body: { truncated: true } });
  });

  test.each<[string, string, object, string]>([
    [
      FIRST,
      "predict",
      { instances: [{ content: "a" }, { content: "b" }] },
      "batchSize must be 1 but the entered value was 2.",
    ],
    [FIRST, "predict", {}, "instances is not specified"],
    [FIRST, "predict", { instances: [{ text: "a" }] }, "content is not specified"],
    [FIRST, "predict", { instances: [{ content: "a" }], parameters: { outputDimensionality: 0 } }, "from 1 to 3072"],
    [FIRST, "predict", { instances: [{ content: long }], parameters: { autoTruncate: false } }, "token count is 10000"],
    [MODEL, "embedContent", { content: content(long), embedContentConfig: { autoTruncate: false } }, "up to 8192"],
    [FIRST, "embedContent", { content: content("a") }, "does not support embedContent"],
    [MODEL, "predict", { instances: [{ content: "a" }] }, "does not support predict"],
  ])("%s refuses %s %#", async (model, method, body, message) => {
    const answer = await send(model, method, body);
    expect(answer).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining(message) } } });
  });
});
