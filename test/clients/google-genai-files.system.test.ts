import { createPartFromUri, GoogleGenAI } from "@google/genai";
import { createEmulator, type EmulatorOptions } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { expect, test } from "vitest";
import { MODEL, refusals } from "../support/world.ts";

/** Google's SDK against an emulator on its own socket. */
async function open(options: EmulatorOptions = {}) {
  const emulator = createEmulator({ brain: improvise(), ...options });
  const server = await emulator.listen();
  const ai = new GoogleGenAI({ apiKey: "emulator", httpOptions: { baseUrl: server.url, apiVersion: "v1beta" } });
  return { ai, emulator, server, [Symbol.asyncDispose]: () => server.close() };
}

test("Google's SDK uploads a file, waits for it, uses it and deletes it", async () => {
  await using opened = await open();
  const { ai, emulator, server } = opened;
  const file = new Blob(["0123456789"], { type: "video/mp4" });
  const uploaded = await ai.files.upload({ file, config: { displayName: "Film" } });
  const { name = "", uri = "" } = uploaded;
  expect(uploaded).toMatchObject({
    displayName: "Film",
    mimeType: "video/mp4",
    sizeBytes: "10",
    state: "PROCESSING",
    uri: `${server.url}/v1beta/${name}`,
  });
  const contents = ["What is this?", createPartFromUri(uri, "video/mp4")];
  await expect(ai.models.generateContent({ model: MODEL, contents })).rejects.toMatchObject({ status: 400 });
  const states = [(await ai.files.get({ name })).state, (await ai.files.get({ name })).state];
  expect(states).toEqual(["PROCESSING", "ACTIVE"]);
  const { text } = await ai.models.generateContent({ model: MODEL, contents });
  expect(text).toContain("I was given the file Film: video/mp4 of 10 bytes.");
  const listed: (string | undefined)[] = [];
  for await (const item of await ai.files.list({ config: { pageSize: 1 } })) listed.push(item.name);
  expect(listed).toEqual([name]);
  await ai.files.delete({ name });
  await expect(ai.files.get({ name })).rejects.toMatchObject({ status: 403 });
  expect(refusals(emulator)).toHaveLength(2);
});

test("Google's SDK uploads a large file in chunks", async () => {
  await using opened = await open();
  const { ai, emulator } = opened;
  const file = new Blob([new Uint8Array(9 * 1024 * 1024)], { type: "application/pdf" });
  const uploaded = await ai.files.upload({ file, config: { name: "large" } });
  expect(uploaded).toMatchObject({ name: "files/large", sizeBytes: String(9 * 1024 * 1024), state: "ACTIVE" });
  expect(emulator.requests.map(({ answered }) => answered.operation)).toEqual(["startUpload", "upload", "upload"]);
});

test("Google's SDK makes, uses, prolongs and deletes a cached content", async () => {
  await using opened = await open({ now: () => new Date("2026-11-21T12:00:00Z") });
  const { ai, emulator } = opened;
  const contents = "word ".repeat(1000);
  const cache = await ai.caches.create({
    model: MODEL,
    config: { contents, ttl: "60s", systemInstruction: "Be brief." },
  });
  const { name = "" } = cache;
  expect(cache).toMatchObject({ model: `models/${MODEL}`, usageMetadata: { totalTokenCount: 1253 } });
  const config = { cachedContent: name };
  const { usageMetadata } = await ai.models.generateContent({ model: MODEL, contents: "Why?", config });
  expect(usageMetadata).toMatchObject({ promptTokenCount: 1254, cachedContentTokenCount: 1253 });
  const both = { ...config, systemInstruction: "Be long." };
  await expect(ai.models.generateContent({ model: MODEL, contents: "Why?", config: both })).rejects.toMatchObject({
    status: 400,
  });
  expect((await ai.caches.update({ name, config: { ttl: "120s" } })).expireTime).toBe("2026-11-21T12:02:00.000Z");
  expect((await ai.caches.get({ name })).expireTime).toBe("2026-11-21T12:02:00.000Z");
  const listed: (string | undefined)[] = [];
  for await (const item of await ai.caches.list()) listed.push(item.name);
  expect(listed).toEqual([name]);
  await ai.caches.delete({ name });
  await expect(ai.models.generateContent({ model: MODEL, contents: "Why?", config })).rejects.toMatchObject({
    status: 403,
  });
  expect(refusals(emulator)).toHaveLength(2);
});

test.each(["gemini-embedding-001", "gemini-embedding-2"])("Google's SDK embeds texts with %s", async (model) => {
  await using opened = await open();
  const { ai } = opened;
  const config = { outputDimensionality: 8, taskType: "CLUSTERING" };
  const contents = ["a", "b"].map((text) => ({ role: "user", parts: [{ text }] }));
  const { embeddings } = await ai.models.embedContent({ model, contents, config });
  expect(embeddings?.map(({ values }) => values?.length)).toEqual([8, 8]);
});

test.each(["gemini-embedding-001", "gemini-embedding-2"])("Google's SDK embeds on Vertex with %s", async (model) => {
  await using server = await createEmulator({ brain: improvise(), profile: "vertex" }).listen();
  const ai = new GoogleGenAI({ vertexai: true, apiKey: "emulator", httpOptions: { baseUrl: server.url } });
  const config = { outputDimensionality: 8, autoTruncate: true };
  const { embeddings } = await ai.models.embedContent({ model, contents: "Rain in Oslo", config });
  expect(embeddings).toMatchObject([{ statistics: { tokenCount: 3 } }]);
  expect(embeddings?.[0]?.values).toHaveLength(8);
});
