import { NO_USAGE } from "@pollux/core/model";
import { describe, expect, test } from "vitest";
import { readRecording } from "../read-recording.ts";
import type { Recording } from "../recordings.ts";
import { runCheck } from "../run-checks.ts";
import { values } from "../checks/values.ts";
import { accountFor } from "./account.ts";
import { pieceLost, piecesOf } from "./content-pieces.ts";
import { wrongUsage } from "./counters.ts";
import { chunksIn, type Chunk } from "./read-body.ts";

const candidate = (fields: Chunk): Chunk => ({ candidates: [fields] });
const source = (uri: string): Chunk => ({ startIndex: 1, endIndex: 2, uri });
const cited = (...uris: readonly string[]): Chunk =>
  candidate({ citationMetadata: { citationSources: uris.map(source) } });

/** The lost values, and the rules for missing ones. */
function outcome(chunks: readonly Chunk[], kept: Chunk) {
  const { lost, vanished } = accountFor(chunks, kept);
  return { lost, vanished: Object.fromEntries(vanished) };
}

describe("a value that is gone", () => {
  test("is lost where a later chunk brought another thing of its kind", () => {
    const overwritten = outcome([cited("a"), cited("b")], cited("b"));
    expect(overwritten.lost).toEqual([
      "chunk 0: candidates[0].citationMetadata.citationSources[0].startIndex = 1 is gone",
      "chunk 0: candidates[0].citationMetadata.citationSources[0].endIndex = 2 is gone",
      'chunk 0: candidates[0].citationMetadata.citationSources[0].uri = "a" is gone',
    ]);
    expect(outcome([cited("a"), cited("b")], cited("a", "b"))).toEqual({ lost: [], vanished: {} });
  });

  test.each<[string, readonly Chunk[], Chunk, number]>([
    ["in another chunk", [cited("a"), cited("a")], cited("a"), 0],
    ["twice in one chunk", [cited("a", "a")], cited("a"), 3],
  ])("need not stay for each time it came %s, but once in each chunk", (_, chunks, kept, lost) => {
    expect(outcome(chunks, kept).lost).toHaveLength(lost);
  });

  test.each<[string, readonly Chunk[], Chunk]>([
    ["empty", [{ ...candidate({ index: null, groundingMetadata: {} }), note: "" }], {}],
    ["other candidate", [{ candidates: [{ index: 0 }, { index: 1, finishReason: "STOP" }] }], candidate({ index: 0 })],
    [
      "token counter",
      [{ usageMetadata: { candidatesTokenCount: 1 } }, { usageMetadata: { totalTokenCount: 3 } }],
      { usageMetadata: { totalTokenCount: 3 } },
    ],
    [
      "finish reason",
      [candidate({ finishReason: "OTHER", finishMessage: "calls" }), candidate({ finishReason: "STOP" })],
      candidate({ finishReason: "STOP" }),
    ],
    ["number of a finish reason", [candidate({ finishReason: 1 })], candidate({ finishReason: "STOP" })],
    [
      "safety rating",
      [candidate({ safetyRatings: [{ score: 1 }] }), candidate({ safetyRatings: [{ score: 2 }] })],
      candidate({ safetyRatings: [{ score: 2 }] }),
    ],
    ["moving value", [{ turnToken: "a" }, { turnToken: "b" }], { turnToken: "b" }],
  ])("is gone by the rule: %s", (rule, chunks, kept) => {
    const { lost, vanished } = outcome(chunks, kept);
    expect({ lost, rules: Object.keys(vanished) }).toEqual({ lost: [], rules: [rule] });
  });

  test.each<[string, readonly Chunk[], Chunk]>([
    ["a counter without a later one", [{ usageMetadata: { totalTokenCount: 1 } }, {}], {}],
    [
      "what is no counter",
      [{ usageMetadata: { billable: { textCount: 2 } } }, { usageMetadata: { totalTokenCount: 1 } }],
      { usageMetadata: { totalTokenCount: 1 } },
    ],
    [
      "counters of two chunks",
      [{ usageMetadata: { thoughtsTokenCount: 1 } }, { usageMetadata: { totalTokenCount: 2 } }],
      { usageMetadata: { thoughtsTokenCount: 1, totalTokenCount: 2 } },
    ],
    ["the last rating", [candidate({ safetyRatings: [{ score: 1 }] })], {}],
    ["a number without its word", [candidate({ finishReason: 1 })], {}],
    ["what nobody sent", [{}], { modelVersion: "made up" }],
    [
      "a field that nobody knows",
      [candidate({ novelty: [{ score: 1 }] }), candidate({ novelty: [{ score: 2 }] })],
      candidate({ novelty: [{ score: 2 }] }),
    ],
  ])("is lost: %s", (_, chunks, kept) => {
    expect(outcome(chunks, kept).lost).toHaveLength(1);
  });
});

describe("a content", () => {
  const call = { functionCall: { name: "f", args: { a: null } } };
  const lost = (received: readonly Chunk[], kept: readonly Chunk[]) => pieceLost(piecesOf(received), piecesOf(kept));

  test.each<[string, readonly Chunk[], readonly Chunk[]]>([
    ["neighboring text of one kind joined", [{ text: "a" }, { text: "b" }], [{ text: "ab" }]],
    ["a null beside the text", [{ text: "a", functionCall: null }], [{ text: "a" }]],
    ["a part of nulls left out", [{ text: "a" }, { text: null }], [{ text: "a" }]],
    [
      "a call of pieces put together",
      [
        { functionCall: { name: "f", willContinue: true }, thoughtSignature: "s" },
        { functionCall: { partialArgs: [{ jsonPath: "$.a[0].b", stringValue: "x" }], willContinue: true } },
        {
          functionCall: {
            partialArgs: [
              { jsonPath: "$.a[0].b", stringValue: "y" },
              { jsonPath: "$.n", numberValue: 1 },
            ],
          },
        },
        { text: "done" },
      ],
      [{ functionCall: { name: "f", args: { a: [{ b: "xy" }], n: 1 } }, thoughtSignature: "s" }, { text: "done" }],
    ],
  ])("says the same with %s", (_, received, kept) => {
    expect(lost(received, kept)).toBeUndefined();
  });

  test.each<[string, readonly Chunk[], readonly Chunk[]]>([
    [
      "text joined across a signature",
      [{ text: "a" }, { text: "b", thoughtSignature: "s" }],
      [{ text: "ab", thoughtSignature: "s" }],
    ],
    ["a thought joined with text", [{ text: "a", thought: true }, { text: "b" }], [{ text: "ab" }]],
    ["another order", [call, { text: "a" }], [{ text: "a" }, call]],
    ["another order of keys", [{ ...call, thoughtSignature: "s" }], [{ thoughtSignature: "s", ...call }]],
    ["a null of the arguments dropped", [call], [{ functionCall: { name: "f", args: {} } }]],
    ["a part dropped", [{ text: "", thoughtSignature: "s" }], []],
    ["a part added", [], [call]],
    [
      "an argument dropped",
      [{ functionCall: { name: "f", partialArgs: [{ jsonPath: "$.a", boolValue: true }] } }],
      [{ functionCall: { name: "f", args: {} } }],
    ],
  ])("does not with %s", (_, received, kept) => {
    expect(lost(received, kept)).toBeDefined();
  });
});

describe("a usage", () => {
  const answers: readonly (readonly Chunk[])[] = [
    [{ usageMetadata: { promptTokenCount: 7, thoughtsTokenCount: 3 } }, { usageMetadata: { promptTokenCount: "90" } }],
    [{ usageMetadata: { promptTokenCount: 9, totalTokenCount: 9 } }, { usageMetadata: { trafficType: "ON_DEMAND" } }],
  ];

  test("is the sum of the counters of each answer's last chunk that has any", () => {
    expect(wrongUsage({ ...NO_USAGE, inputTokens: 99, totalTokens: 99 }, answers)).toBeUndefined();
    expect(wrongUsage({ ...NO_USAGE, inputTokens: 9, totalTokens: 8 }, answers.slice(1))).toBe(
      "usage.totalTokens is 8, recorded 9",
    );
    expect(wrongUsage({ ...NO_USAGE, inputTokens: 99, thoughtTokens: 3 }, answers)).toBe(
      "usage.thoughtTokens is 3, recorded 0",
    );
  });

  test("is wrong as text, also where text was counted", () => {
    const asText = { ...NO_USAGE, inputTokens: "909" as unknown as number };
    expect(wrongUsage(asText, answers)).toBe('usage.inputTokens is "909", recorded 99');
    expect(wrongUsage({ ...asText, inputTokens: "9" as unknown as number }, answers.slice(1))).toBe(
      'usage.inputTokens is "9", recorded 9',
    );
  });
});

test.each([
  ["one object", '{"a": 1}\n', [{ a: 1 }]],
  ["a list", '[{"a": 1}\r\n,\r\n{"b": 2}]', [{ a: 1 }, { b: 2 }]],
  ["events", ': hi\r\n\r\ndata: {"a": 1}\r\n\r\nid: 3\ndata:{"b": 2}\n\ndata: [DONE]', [{ a: 1 }, { b: 2 }]],
  ["half an event", 'data: {"a": 1', undefined],
])("a body is read as %s", (_, body, chunks) => {
  expect(chunksIn(body)).toEqual(chunks);
});

test("the check counts every value, and says where each is", async () => {
  const said = (text: string, more: Chunk = {}): Chunk => ({
    ...candidate({ content: { role: "model", parts: [{ text }] }, ...more }),
    usageMetadata: { totalTokenCount: text.length },
    responseId: "r",
  });
  const recording = readRecording("made-up.json", {
    exchanges: [
      {
        path: "/v1beta/models/gemini-3.8-flash:streamGenerateContent",
        responseBody: [said("a"), said("bc", { finishReason: "STOP" })]
          .map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`)
          .join(""),
      },
    ],
  }) as Recording;
  expect(await runCheck(values, [recording], [])).toMatchObject({
    checked: 2,
    failures: [],
    measured: { chunks: 2, values: 9, "values kept": 5, requests: 1 },
    vanished: { repeated: 2, "token counter": 1, "text joined": 1 },
  });
});
