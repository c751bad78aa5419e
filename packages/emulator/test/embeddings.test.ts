import { expect, test } from "vitest";
import { createEmulator, type Emulator } from "../src/index.ts";
import { post } from "./support.ts";

const MODEL = "gemini-embedding-2";
const content = (text: string) => ({ parts: [{ text }] });

async function embed(emulator: Emulator, text: string, outputDimensionality?: number): Promise<number[]> {
  const response = await post(emulator, "embedContent", { content: content(text), outputDimensionality }, MODEL);
  expect(response.status).toBe(200);
  return ((await response.json()) as { embedding: { values: number[] } }).embedding.values;
}

const dot = (left: readonly number[], right: readonly number[]): number =>
  left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);

test("a text becomes a vector of length 1, the same on every emulator", async () => {
  const [first, again] = [await embed(createEmulator(), "Rain in Oslo"), await embed(createEmulator(), "Rain in Oslo")];
  expect([first.length, again]).toEqual([3072, first]);
  expect(dot(first, first)).toBeCloseTo(1, 5);
  expect(await embed(createEmulator(), "Rain in Oslo", 256)).toHaveLength(256);
});

test("texts that share words lie closer together", async () => {
  const emulator = createEmulator();
  const [oslo, bergen, stocks] = [
    await embed(emulator, "the weather in Oslo"),
    await embed(emulator, "the weather in Bergen"),
    await embed(emulator, "quarterly earnings fell"),
  ] as const;
  expect(dot(oslo, bergen)).toBeGreaterThan(dot(oslo, stocks) + 0.3);
});

test("a batch gives one vector for each request", async () => {
  const emulator = createEmulator();
  const requests = ["a", "b"].map((text) => ({ model: `models/${MODEL}`, content: content(text) }));
  const response = await post(emulator, "batchEmbedContents", { requests }, MODEL);
  expect(await response.json()).toEqual({
    embeddings: [{ values: await embed(emulator, "a") }, { values: await embed(emulator, "b") }],
  });
  expect(emulator.requests[0]?.answered).toEqual({
    status: 200,
    operation: "batchEmbedContents",
    model: MODEL,
    complete: true,
  });
});

test.each([
  ["embedContent", { content: content("x"), outputDimensionality: 3073 }, 400, "X-1"],
  ["batchEmbedContents", { requests: Array.from({ length: 101 }, () => ({ content: content("x") })) }, 400, "X-1"],
  ["embedContent", {}, 400, "E-04"],
  ["batchEmbedContents", {}, 400, "E-04"],
  ["embedContent", { contents: [] }, 400, "E-01"],
])("an embedding out of bounds is refused: %s %#", async (method, body, status, rule) => {
  const emulator = createEmulator();
  expect((await post(emulator, method, body, MODEL)).status).toBe(status);
  expect(emulator.requests.at(-1)?.answered).toEqual({ status, operation: method, rule, complete: true });
});

test("models that generate embed nothing, and say so in the name of the single method", async () => {
  const response = await post(createEmulator(), "batchEmbedContents", { requests: [] }, "gemini-3.8-flash");
  expect([response.status, ((await response.json()) as { error: { message: string } }).error.message]).toEqual([
    404,
    expect.stringContaining("or is not supported for embedContent."),
  ]);
});
