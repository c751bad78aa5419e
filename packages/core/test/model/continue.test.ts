import { expect, test } from "vitest";
import { ApiNetworkError, StreamIncompleteError } from "../../src/errors/api-errors.ts";
import { collectWithContinuation } from "../../src/model/continue.ts";
import type { ModelResponse } from "../../src/model/model.ts";
import type { Part } from "../../src/wire/content.ts";
import type { Candidate, GenerateContentResponse } from "../../src/wire/generate-content.ts";

type Hop = readonly (GenerateContentResponse | Error)[];

/** Plays one list of chunks per request; the last one again and again. */
async function play(
  ...hops: readonly Hop[]
): Promise<{ tokens: (string | undefined)[]; handedOn: Part[]; response?: ModelResponse; error?: unknown }> {
  const tokens: (string | undefined)[] = [];
  const handedOn: Part[] = [];
  const reading = collectWithContinuation(async function* (token) {
    tokens.push(token);
    for (const chunk of hops[Math.min(tokens.length, hops.length) - 1] ?? []) {
      if (chunk instanceof Error) throw chunk;
      yield [chunk];
    }
  });
  try {
    for (;;) {
      const next = await reading.next();
      if (next.done === true) return { tokens, handedOn, response: next.value };
      handedOn.push(...next.value);
    }
  } catch (error) {
    return { tokens, handedOn, error };
  }
}

const chunk = (text: string | undefined, rest: Candidate = {}, prompt?: number): GenerateContentResponse => ({
  candidates: [{ ...(text !== undefined && { content: { role: "model", parts: [{ text }] } }), ...rest }],
  ...(prompt !== undefined && {
    usageMetadata: { promptTokenCount: prompt, candidatesTokenCount: 5, totalTokenCount: prompt + 5 },
  }),
});
const RESET = new ApiNetworkError("reset");

test("hops become one answer, billed together and as full as the first", async () => {
  const grounding = (text: string, startIndex?: number): Candidate["groundingMetadata"] => ({
    webSearchQueries: [text],
    groundingChunks: [{ web: { uri: text } }],
    groundingSupports: [
      { segment: { ...(startIndex !== undefined && { startIndex }), endIndex: 2 }, groundingChunkIndices: [0] },
    ],
  });
  const { tokens, handedOn, response } = await play(
    [chunk("é one ", { finishReason: "CONTINUATION", continuationToken: "t1", groundingMetadata: grounding("a") }, 10)],
    [chunk("two", { finishReason: "STOP", groundingMetadata: grounding("b", 1) }, 40)],
  );
  expect(tokens).toEqual([undefined, "t1"]);
  expect(handedOn).toEqual([{ text: "é one " }, { text: "two" }]);
  expect(response).toMatchObject({
    content: { role: "model", parts: [{ text: "é one two" }] },
    finishReason: "STOP",
    usage: { requests: 2, inputTokens: 50, outputTokens: 10, contextTokens: 10, incomplete: false },
  });
  expect(response?.candidate).toEqual({
    finishReason: "STOP",
    groundingMetadata: {
      webSearchQueries: ["a", "b"],
      groundingChunks: [{ web: { uri: "a" } }, { web: { uri: "b" } }],
      groundingSupports: [
        { segment: { endIndex: 2 }, groundingChunkIndices: [0] },
        { segment: { startIndex: 8, endIndex: 9 }, groundingChunkIndices: [1] },
      ],
    },
  });
});

test("a stream that breaks after a checkpoint goes on from it", async () => {
  const { tokens, response } = await play(
    [chunk("a", { continuationToken: "t1" }, 7), chunk("b", { continuationToken: "t2" }), RESET],
    [chunk("c", { finishReason: "STOP" }, 9)],
  );
  expect(tokens).toEqual([undefined, "t2"]);
  expect(response).toMatchObject({
    content: { parts: [{ text: "abc" }] },
    usage: { contextTokens: 7, incomplete: true },
  });
});

test("parts behind the last checkpoint would come twice, so the stream is given up", async () => {
  const { tokens, error } = await play([chunk("a", { continuationToken: "t1" }), chunk("b"), RESET]);
  expect([tokens, error]).toEqual([[undefined], RESET]);
});

test("three reconnects without progress are the most", async () => {
  const { tokens, error } = await play([chunk("a", { continuationToken: "t1" })], []);
  expect(tokens).toEqual([undefined, "t1", "t1", "t1", "t1"]);
  expect(error).toBeInstanceOf(StreamIncompleteError);
});

test("an answer without an end stops after 64 requests and says so", async () => {
  const { tokens, response } = await play([chunk("a", { finishReason: "CONTINUATION", continuationToken: "t" })]);
  expect([tokens.length, response?.finishReason, response?.usage.requests]).toEqual([64, "CONTINUATION", 64]);
});

test("without a token there is nothing to go on from", async () => {
  const ended = await play([chunk("a", { finishReason: "CONTINUATION" })]);
  expect([ended.tokens.length, ended.response?.finishReason]).toEqual([1, "CONTINUATION"]);
  const broken = await play([chunk("a"), RESET]);
  expect([broken.tokens.length, broken.error]).toEqual([1, RESET]);
});

test("a token beside another finish reason is not followed", async () => {
  const { tokens, response } = await play([chunk("a", { finishReason: "MAX_TOKENS", continuationToken: "t" })]);
  expect([tokens.length, response?.candidate.continuationToken]).toEqual([1, "t"]);
});

test("an answer that had its last word is whole, however the connection ends", async () => {
  const { response } = await play([chunk("a", { finishReason: "STOP" }), RESET]);
  expect(response).toMatchObject({ finishReason: "STOP", content: { parts: [{ text: "a" }] } });
});
