import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ResponseBlockedError, StreamIncompleteError } from "../../../src/errors/api-errors.ts";
import { ResponseFold } from "../../../src/model/response/fold.ts";
import type { ModelResponse } from "../../../src/model/model.ts";
import type { Part } from "../../../src/wire/types/content.ts";
import type { GenerateContentResponse } from "../../../src/wire/types/generate-content.ts";
import { growthOf } from "../../helpers/growth.ts";

async function collect(
  ...batches: readonly (readonly GenerateContentResponse[])[]
): Promise<{ response: ModelResponse; handedOn: Part[] }> {
  const fold = new ResponseFold();
  const left = [...batches];
  const handedOn: Part[] = [];
  const failure = await fold.read({
    open: async () => ({ next: async () => left.shift(), close() {} }),
    onParts: (parts) => void handedOn.push(...parts),
    onRewind() {},
  });
  if (failure !== undefined) throw failure;
  return { response: fold.partial(), handedOn };
}

const part = (parts: Part[], rest: object = {}): GenerateContentResponse => ({
  candidates: [{ content: { role: "model", parts }, ...rest }],
});

test("chunks become one response with everything that came", async () => {
  const chunks = [
    {
      ...part([{ text: "Hel" }], { groundingMetadata: {}, index: 0 }),
      usageMetadata: { promptTokenCount: 99, candidatesTokenCount: 50 },
      modelVersion: "m-1",
      responseId: "r",
    },
    {
      ...part([{ text: "lo" }], {
        groundingMetadata: { webSearchQueries: ["a", "b", "a"] },
        safetyRatings: [{ x: 1 }],
        futureField: 1,
      }),
      futureTop: [1],
    },
    {
      ...part([{ text: "", thoughtSignature: "s" }], {
        finishReason: "STOP",
        finishMessage: "done",
        groundingMetadata: {},
        safetyRatings: [],
      }),
      usageMetadata: {
        promptTokenCount: 10,
        cachedContentTokenCount: 4,
        candidatesTokenCount: 3,
        thoughtsTokenCount: 2,
        totalTokenCount: 15,
      },
    },
    { modelVersion: "m-1" },
  ] as GenerateContentResponse[];
  const { response, handedOn } = await collect(chunks);
  expect(handedOn).toEqual([{ text: "Hel" }, { text: "lo" }, { text: "", thoughtSignature: "s" }]);
  expect(response).toEqual({
    content: { role: "model", parts: [{ text: "Hello" }, { text: "", thoughtSignature: "s" }] },
    finishReason: "STOP",
    finishMessage: "done",
    usage: {
      requests: 1,
      inputTokens: 10,
      cachedTokens: 4,
      outputTokens: 3,
      thoughtTokens: 2,
      toolUseTokens: 0,
      totalTokens: 15,
      contextTokens: 10,
      searchQueries: 2,
      incomplete: false,
    },
    candidate: {
      index: 0,
      groundingMetadata: { webSearchQueries: ["a", "b", "a"] },
      safetyRatings: [{ x: 1 }],
      futureField: 1,
      finishReason: "STOP",
      finishMessage: "done",
    },
    envelope: {
      usageMetadata: {
        promptTokenCount: 10,
        cachedContentTokenCount: 4,
        candidatesTokenCount: 3,
        thoughtsTokenCount: 2,
        totalTokenCount: 15,
      },
      modelVersion: "m-1",
      responseId: "r",
      futureTop: [1],
    },
  });
});

test("any split into batches gives the same response and the same parts", async () => {
  const chunk = fc.oneof(
    fc.string().map((text) => part([{ text }])),
    fc.string().map((text) => part([{ text, thought: true }])),
    fc.string({ minLength: 1 }).map((name) => part([{ functionCall: { name } }, { text: "", thoughtSignature: name }])),
    fc.nat().map((promptTokenCount) => ({ usageMetadata: { promptTokenCount } })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(chunk), fc.array(fc.nat(3)), async (chunks, sizes) => {
      const all = [...chunks, part([], { finishReason: "STOP" })];
      const batches: GenerateContentResponse[][] = [];
      for (let at = 0, i = 0; at < all.length; i++) batches.push(all.slice(at, (at += (sizes[i] ?? 0) + 1)));
      expect(await collect(...batches)).toEqual(await collect(all));
    }),
  );
});

test("only the first candidate counts", async () => {
  const both: GenerateContentResponse = {
    candidates: [
      { index: 1, content: { parts: [{ text: "second" }] }, finishReason: "SAFETY" },
      { index: 0, content: { parts: [{ text: "first" }] }, finishReason: "STOP" },
    ],
  };
  const { response } = await collect([both]);
  expect([response.content.parts, response.finishReason]).toEqual([[{ text: "first" }], "STOP"]);
});

test.each<[string, object]>([
  ["no content", { finishReason: "SAFETY" }],
  ["an empty content", { finishReason: "SAFETY", content: {} }],
  ["no parts", { finishReason: "SAFETY", content: { role: "model" } }],
])("a candidate with %s has no parts", async (_name, candidate) => {
  const { response } = await collect([{ candidates: [candidate] }]);
  expect([response.content, response.usage.incomplete]).toEqual([{ role: "model", parts: [] }, true]);
});

describe("what is no answer", () => {
  test.each<[string, GenerateContentResponse[]]>([
    ["text without a finish reason", [part([{ text: "half" }])]],
    ["an empty object", [{}]],
    ["nothing", []],
    ["usage alone", [{ usageMetadata: { promptTokenCount: 1 } }]],
    ["no candidates", [{ candidates: [] }]],
  ])("%s is incomplete", async (_name, chunks) => {
    await expect(collect(chunks)).rejects.toThrow(StreamIncompleteError);
  });

  test.each(["SAFETY", "PROHIBITED_CONTENT", "NEXT_YEARS_REASON"])(
    "a prompt refused for %s is an error with the reason",
    async (blockReason) => {
      const ratings = [{ category: "c", blocked: true }];
      const blocked = collect([
        { promptFeedback: { blockReason, safetyRatings: ratings }, usageMetadata: { promptTokenCount: 3 } },
      ]);
      await expect(blocked).rejects.toMatchObject({
        blockReason,
        promptTokens: 3,
        safetyRatings: ratings,
        constructor: ResponseBlockedError,
      });
    },
  );
});

test("long lists add up in proportion to their length", () => {
  const sources = (size: number, site: string): object => ({
    citationMetadata: { citationSources: Array.from({ length: size }, (_, at) => ({ uri: `${site}/${at}` })) },
  });
  const growth = growthOf(
    (size) => {
      const fold = new ResponseFold();
      fold.addAll([part([{ text: "a" }], sources(size, "a")), part([{ text: "b" }], sources(size, "b"))]);
    },
    400,
    10,
  );
  // Comparing each with each would take a hundred times as long.
  expect(growth).toBeLessThan(35);
});

test.each<[string, object, object?]>([
  ["publicationDate", { citationMetadata: { citations: [{ uri: "u", publicationDate: { year: 2026 } }] } }],
  ["overwrittenThreshold", { safetyRatings: [{ category: "c", overwrittenThreshold: "BLOCK_ONLY_HIGH" }] }],
  [
    "retrievedContext",
    {
      groundingMetadata: {
        groundingChunks: [
          {
            retrievedContext: {
              fileSearchStore: "fileSearchStores/s",
              customMetadata: [{ key: "k", numericValue: 0 }],
              pageNumber: 7,
              mediaId: "fileSearchStores/s/media/m",
              ragChunk: { text: "t", pageSpan: { firstPage: 1, lastPage: 2 } },
            },
          },
        ],
      },
    },
  ],
  [
    "placeAnswerSources and routes",
    {
      groundingMetadata: {
        groundingChunks: [
          { maps: { placeAnswerSources: { reviewSnippets: [{ title: "Good" }] }, route: { distanceMeters: 12 } } },
        ],
      },
    },
  ],
  [
    "renderedParts",
    { groundingMetadata: { renderedParts: [{ text: "a" }], groundingSupports: [{ renderedParts: [0] }] } },
  ],
  ["score", { score: -1.5 }],
  ["modelStatus", {}, { modelStatus: { modelStage: "DEPRECATED", retirementTime: "2027-01-01T00:00:00Z" } }],
])("%s is kept from whichever chunk has it", async (_name, candidate, envelope = {}) => {
  const filled = { ...part([{ text: "a" }], candidate), ...envelope };
  const empty = part([{ text: "b" }], { groundingMetadata: {}, safetyRatings: [] });
  const last = part([], { finishReason: "STOP" });
  for (const chunks of [
    [filled, empty, last],
    [empty, filled, last],
    [empty, empty, { ...filled, candidates: [{ ...candidate, finishReason: "STOP" }] }],
  ]) {
    const { response } = await collect(chunks);
    expect(response.candidate).toMatchObject(candidate);
    expect(response.envelope).toMatchObject(envelope);
  }
});

test("metadata of parts keep their parts apart, and raw counts stay with their chunk's", async () => {
  const parts = [
    { text: "a", speechMetadata: { speaker: "Ada", style: "calm" } },
    { text: "b", partMetadata: { from: "notes.md" } },
    { fileData: { fileUri: "files/v" }, mediaProcessing: "AGENTIC" },
    { audioTranscription: { text: "hello", words: [{ word: "hello", startOffset: "0s" }] } },
  ] as const;
  const { response } = await collect(
    parts.map((one) => part([one])),
    [{ ...part([], { finishReason: "STOP" }), usageMetadata: { promptTokenCount: 5, rawPromptTokenCount: 4 } }],
  );
  expect(response.content.parts).toEqual(parts);
  expect(response.envelope.usageMetadata).toEqual({ promptTokenCount: 5, rawPromptTokenCount: 4 });
});
