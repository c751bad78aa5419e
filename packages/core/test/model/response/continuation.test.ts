import { expect, test } from "vitest";
import { ApiNetworkError, StreamIncompleteError } from "../../../src/errors/api-errors.ts";
import { continueAnswer } from "../../../src/model/response/continuation.ts";
import { type AnswerSource, ResponseFold } from "../../../src/model/response/fold.ts";
import type { ModelResponse } from "../../../src/model/model.ts";
import type { Part } from "../../../src/wire/types/content.ts";
import type { Candidate, GenerateContentResponse } from "../../../src/wire/types/generate-content.ts";
import type { AnswerStream } from "../../../src/wire/http/read-answers.ts";

type Hop = readonly (GenerateContentResponse | Error)[];

/** Continues an answer only if its first request left a token, as models do. */
async function collectWithContinuation(source: AnswerSource): Promise<ModelResponse> {
  const fold = new ResponseFold();
  const failure = await fold.read(source);
  return fold.token === undefined ? fold.partial() : await continueAnswer(source, fold, failure);
}

/** Plays one list of chunks per request; the last one again and again. */
async function play(...hops: readonly Hop[]): Promise<{
  tokens: (string | undefined)[];
  handedOn: (Part | "rewind")[];
  response?: ModelResponse;
  error?: unknown;
}> {
  const tokens: (string | undefined)[] = [];
  const handedOn: (Part | "rewind")[] = [];
  const onRewind = (): void => void handedOn.push("rewind");
  const open = async (token: string | undefined): Promise<AnswerStream> => {
    tokens.push(token);
    const chunks = (hops[Math.min(tokens.length, hops.length) - 1] ?? []).values();
    return {
      async next() {
        const chunk = chunks.next().value;
        if (chunk instanceof Error) throw chunk;
        return chunk && [chunk];
      },
      close() {},
    };
  };
  try {
    const response = await collectWithContinuation({
      open,
      onRewind,
      onParts: (parts) => void handedOn.push(...parts),
    });
    return { tokens, handedOn, response };
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

test("parts after the last checkpoint come again, and the reader gets a notice", async () => {
  const { tokens, handedOn, response } = await play(
    [chunk("a", { continuationToken: "t1" }, 7), chunk("b"), RESET],
    [chunk("B"), RESET],
    [chunk("b", { continuationToken: "t2" }), chunk("c", { finishReason: "STOP" }, 9)],
  );
  expect(tokens).toEqual([undefined, "t1", "t1"]);
  expect(handedOn.map((part) => (part === "rewind" ? part : part.text))).toEqual([
    "a",
    "b",
    "rewind",
    "a",
    "B",
    "rewind",
    "a",
    "b",
    "c",
  ]);
  expect(response).toMatchObject({
    content: { parts: [{ text: "abc" }] },
    usage: { requests: 2, contextTokens: 7, incomplete: true },
  });
});

test("three reconnects without progress are the most; the error has what had come", async () => {
  const { tokens, error } = await play([chunk("a", { continuationToken: "t1" }), chunk("b")], []);
  expect(tokens).toEqual([undefined, "t1", "t1", "t1", "t1"]);
  expect(error).toBeInstanceOf(StreamIncompleteError);
  expect(error).toMatchObject({
    retryable: false,
    partial: { role: "model", parts: [{ text: "a" }] },
    cause: expect.any(StreamIncompleteError),
  });
});

test("an answer without an end stops after 64 requests and says so", async () => {
  const { tokens, response } = await play(
    ...Array.from({ length: 70 }, (_, i) => [chunk("a", { finishReason: "CONTINUATION", continuationToken: `t${i}` })]),
  );
  expect([tokens.length, response?.finishReason, response?.usage.requests]).toEqual([64, "CONTINUATION", 64]);
});

test("an answer that makes no progress is not requested again", async () => {
  const { tokens, response } = await play([chunk("a", { finishReason: "CONTINUATION", continuationToken: "t" })]);
  expect([tokens, response?.finishReason]).toEqual([[undefined, "t"], "CONTINUATION"]);
});

test("a call may be written over several requests", async () => {
  const piece = (functionCall: object, rest: Candidate = {}): GenerateContentResponse =>
    ({ candidates: [{ content: { role: "model", parts: [{ functionCall }] }, ...rest }] }) as GenerateContentResponse;
  const more = (stringValue: string): object => ({
    partialArgs: [{ jsonPath: "$.s", stringValue, willContinue: true }],
    willContinue: true,
  });
  const { response } = await play(
    [piece({ name: "f", willContinue: true }, { continuationToken: "t1" }), piece(more("lost")), RESET],
    [piece(more("a"), { finishReason: "CONTINUATION", continuationToken: "t2" })],
    [piece(more("b")), piece({}, { finishReason: "STOP" })],
  );
  expect(response?.content.parts).toEqual([{ functionCall: { name: "f", args: { s: "ab" } } }]);
});

test("log probabilities and what nobody knows stay, of all requests", async () => {
  const more = (token: string): Candidate => {
    const unknown = { news: { [token]: 1, list: [token] } };
    return { logprobsResult: { chosenCandidates: [{ token, logProbability: 0 }] }, ...unknown };
  };
  const { response } = await play(
    [chunk("a", { finishReason: "CONTINUATION", continuationToken: "t1", ...more("a") })],
    [chunk("b", { finishReason: "STOP", ...more("b") })],
  );
  expect(response?.candidate).toEqual({
    finishReason: "STOP",
    logprobsResult: {
      chosenCandidates: [
        { token: "a", logProbability: 0 },
        { token: "b", logProbability: 0 },
      ],
    },
    news: { a: 1, b: 1, list: ["a", "b"] },
  });
});

test("citations and pages of all requests stay, counted from the start", async () => {
  const cited = (uri: string): Candidate => ({
    citationMetadata: { citationSources: [{ uri, startIndex: 1, endIndex: 2 }] },
    urlContextMetadata: { urlMetadata: [{ retrievedUrl: uri }] },
    groundingMetadata: {
      groundingSupports: [{ segment: { partIndex: 1, startIndex: 1, endIndex: 2 }, groundingChunkIndices: [0] }],
      groundingChunks: [{ web: { uri } }],
    },
  });
  const two = (first: string, second: string): Candidate["content"] => ({
    role: "model",
    parts: [{ text: first }, { executableCode: { code: "1" } }, { text: second }],
  });
  const { response } = await play(
    [chunk(undefined, { ...cited("a"), content: two("é", "x"), finishReason: "CONTINUATION", continuationToken: "t" })],
    [chunk(undefined, { ...cited("b"), content: two("y", "z"), finishReason: "STOP" })],
  );
  expect(response?.content.parts.map(({ text }) => text)).toEqual(["é", undefined, "xy", undefined, "z"]);
  expect(response?.candidate).toEqual({
    finishReason: "STOP",
    citationMetadata: {
      citationSources: [
        { uri: "a", startIndex: 1, endIndex: 2 },
        { uri: "b", startIndex: 4, endIndex: 5 },
      ],
    },
    urlContextMetadata: { urlMetadata: [{ retrievedUrl: "a" }, { retrievedUrl: "b" }] },
    groundingMetadata: {
      groundingChunks: [{ web: { uri: "a" } }, { web: { uri: "b" } }],
      groundingSupports: [
        { segment: { partIndex: 1, startIndex: 1, endIndex: 2 }, groundingChunkIndices: [0] },
        { segment: { partIndex: 3, startIndex: 1, endIndex: 2 }, groundingChunkIndices: [1] },
      ],
    },
  });
});

test("without a token there is nothing to go on from", async () => {
  const ended = await play([chunk("a", { finishReason: "CONTINUATION" })]);
  expect([ended.tokens.length, ended.response?.finishReason]).toEqual([1, "CONTINUATION"]);
  const broken = await play([chunk("a"), RESET]);
  expect([broken.tokens.length, broken.error]).toEqual([1, RESET]);
});

test("a token beside a reason that ends an answer is not followed", async () => {
  const { tokens, response } = await play([chunk("a", { finishReason: "SAFETY", continuationToken: "t" })]);
  expect([tokens.length, response?.candidate.continuationToken]).toEqual([1, "t"]);
});

test("an answer cut off by a limit that the caller did not set goes on, as long as it grows", async () => {
  const cut = (text: string | undefined, continuationToken?: string): Hop => [
    chunk(text, { finishReason: "MAX_TOKENS", ...(continuationToken && { continuationToken }) }),
  ];
  const whole = await play(cut("a", "t1"), cut("b", "t2"), [chunk("c", { finishReason: "STOP" })]);
  expect(whole.tokens).toEqual([undefined, "t1", "t2"]);
  expect(whole.response).toMatchObject({ finishReason: "STOP", content: { parts: [{ text: "abc" }] } });
  const stuck = await play(cut("a", "t1"), cut(undefined, "t2"));
  expect(stuck.tokens).toEqual([undefined, "t1"]);
  expect(stuck.response).toMatchObject({ finishReason: "MAX_TOKENS", content: { parts: [{ text: "a" }] } });
  const spent = await play(cut("a", "t1"), cut("b"));
  expect(spent.tokens).toEqual([undefined, "t1"]);
  expect(spent.response).toMatchObject({ finishReason: "MAX_TOKENS", content: { parts: [{ text: "ab" }] } });
});

test("an answer with a finish reason is complete, however the connection ends", async () => {
  const { response } = await play([chunk("a", { finishReason: "STOP" }), RESET]);
  expect(response).toMatchObject({ finishReason: "STOP", content: { parts: [{ text: "a" }] } });
});

test("an answer of more chunks than fit the stack goes on", async () => {
  const many = Array.from({ length: 200_000 }, () => chunk("a"));
  const { response, error } = await play(
    [...many, chunk("b", { finishReason: "CONTINUATION", continuationToken: "t1" })],
    [chunk("c", { finishReason: "STOP" })],
  );
  expect(error).toBeUndefined();
  expect(response?.content.parts).toEqual([{ text: `${"a".repeat(200_000)}bc` }]);
});

test("grounding's other lists of all requests stay, and supports point into them", async () => {
  const grounding = (name: string): Candidate => {
    const sourceFlaggingUris = [{ sourceId: name }];
    const supports = { renderedParts: [{ text: name }], groundingSupports: [{ renderedParts: [0] }] };
    const groundingMetadata = { ...supports, sourceFlaggingUris };
    return { groundingMetadata };
  };
  const { response } = await play(
    [chunk("a", { finishReason: "CONTINUATION", continuationToken: "t1", ...grounding("a") })],
    [chunk("b", { finishReason: "STOP", ...grounding("b") })],
  );
  expect(response?.candidate.groundingMetadata).toEqual({
    renderedParts: [{ text: "a" }, { text: "b" }],
    groundingSupports: [{ renderedParts: [0] }, { renderedParts: [1] }],
    sourceFlaggingUris: [{ sourceId: "a" }, { sourceId: "b" }],
  });
});
