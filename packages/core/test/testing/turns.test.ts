import { describe, expect, test } from "vitest";
import { ResponseBlockedError } from "../../src/errors/api-errors.ts";
import { resolveCitations } from "../../src/grounding/citations.ts";
import { collectSources } from "../../src/grounding/sources.ts";
import {
  blocked,
  call,
  costs,
  cut,
  empty,
  finishes,
  grounded,
  malformed,
  parts,
  refused,
  say,
  type ScriptedTurn,
  serverSearch,
  join,
  undeclared,
} from "../../src/testing/index.ts";

test.each<[string, ScriptedTurn, ScriptedTurn]>([
  ["empty", empty(), { batches: [], finishReason: "STOP" }],
  ["cut", cut("a"), { batches: [[{ text: "a" }]], finishReason: "MAX_TOKENS" }],
  ["blocked", blocked(), { batches: [], finishReason: "SAFETY" }],
  [
    "blocked for another reason",
    blocked("RECITATION", "no"),
    { batches: [], finishReason: "RECITATION", finishMessage: "no" },
  ],
  ["malformed", malformed("bad"), { batches: [], finishReason: "MALFORMED_FUNCTION_CALL", finishMessage: "bad" }],
  [
    "undeclared",
    undeclared("fly"),
    { batches: [], finishReason: "UNEXPECTED_TOOL_CALL", finishMessage: "Unexpected tool call: fly" },
  ],
  ["any other reason", finishes("SOMETHING_NEW"), { batches: [], finishReason: "SOMETHING_NEW" }],
  [
    "parts",
    parts({ inlineData: { mimeType: "image/png", data: "AA==" } }),
    { batches: [[{ inlineData: { mimeType: "image/png", data: "AA==" } }]] },
  ],
])("%s is one line", (_name, made, expected) => {
  expect(made).toEqual(expected);
});

test("a refused prompt is an error that names the reason", () => {
  expect(refused("SAFETY").end).toEqual({ type: "error", error: expect.any(ResponseBlockedError) });
});

test("the service's own search pairs its call and its answer and signs both", () => {
  const [made, answered] = serverSearch("oslo").batches.flat();
  expect(made).toEqual({
    toolCall: { toolType: "GOOGLE_SEARCH_WEB", args: { queries: ["oslo"] }, id: "search01" },
    thoughtSignature: expect.any(String),
  });
  expect(answered).toEqual({
    toolResponse: { toolType: "GOOGLE_SEARCH_WEB", response: { search_suggestions: "<p>oslo</p>" }, id: "search01" },
    thoughtSignature: expect.any(String),
  });
});

describe("turn", () => {
  test("keeps pieces in order and the last of everything else", () => {
    const whole = join(say("a", "b"), grounded("c", { sources: [] }), call("f"), cut(), costs({ promptTokenCount: 1 }));
    expect(whole.batches).toEqual([
      [{ text: "a" }],
      [{ text: "b" }],
      [{ text: "c" }],
      [{ functionCall: { name: "f", args: {} } }],
    ]);
    expect(whole).toMatchObject({
      finishReason: "MAX_TOKENS",
      usage: { promptTokenCount: 1 },
      candidate: { groundingMetadata: { groundingChunks: [] } },
    });
  });
});

describe("grounded", () => {
  test("reports sources as the service does, so that they come out as citations", () => {
    const text = "Überraschung: Oslo won 😀. Bergen lost.";
    const { candidate = {}, batches } = grounded(text, {
      sources: [
        { uri: "https://a.example/", title: "A", supports: ["Oslo won 😀.", "Bergen lost."] },
        { uri: "https://b.example/", supports: ["Oslo won 😀."] },
        { uri: "https://c.example/" },
      ],
      queries: ["who won"],
    });
    const response = { content: { role: "model" as const, parts: batches.flat() }, candidate };
    const { sources } = collectSources([response]);
    expect(sources.map(({ uri, title }) => [uri, title])).toEqual([
      ["https://a.example/", "A"],
      ["https://b.example/", "b.example"],
      ["https://c.example/", "c.example"],
    ]);
    expect(resolveCitations(response, sources)).toEqual([
      { start: 0, end: text.length, text, sources: [3], match: "exact" },
      { start: 14, end: 26, text: "Oslo won 😀.", sources: [1, 2], match: "exact" },
      { start: 27, end: 39, text: "Bergen lost.", sources: [1], match: "exact" },
    ]);
  });

  test("refuses a source for something the answer does not say", () => {
    expect(() => grounded("Oslo won.", { sources: [{ uri: "https://a.example/", supports: ["Bergen"] }] })).toThrow(
      'a source supports "Bergen", which the answer does not contain',
    );
  });
});
