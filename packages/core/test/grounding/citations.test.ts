import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resolveCitations } from "../../src/grounding/citations.ts";
import { type Citation, collectSources } from "../../src/grounding/sources.ts";
import type { Part } from "../../src/wire/types/content.ts";
import { growthOf } from "../helpers/growth.ts";
import { answer, bytesOf, web } from "./answers.ts";

const CHUNKS = [web("a"), web("b"), web("c")];

function cite(parts: readonly Part[] | string, ...supports: readonly unknown[]): Citation[] {
  const response = answer(typeof parts === "string" ? [{ text: parts }] : parts, {
    groundingMetadata: { groundingChunks: CHUNKS, groundingSupports: supports },
  });
  return resolveCitations(response, collectSources([response]).sources);
}

describe("resolveCitations", () => {
  test("turns bytes into indexes", () => {
    const text = "Überraschung: 漢字 and 😀 won. Café closed.";
    const first = { segment: bytesOf(text, "漢字 and 😀 won."), groundingChunkIndices: [1, 0, 1] };
    const second = { segment: bytesOf(text, "Café closed."), groundingChunkIndices: [2] };
    expect(cite(text, second, first)).toEqual([
      { start: 14, end: 28, text: "漢字 and 😀 won.", sources: [1, 2], match: "exact" },
      { start: 29, end: 41, text: "Café closed.", sources: [3], match: "exact" },
    ]);
  });

  test("finds every span of any text again, exactly", () => {
    const words = fc.array(fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(words, fc.nat(), fc.nat(), (pieces, from, to) => {
        const text = pieces.join("");
        const characters = Array.from(text);
        const [low, high] = [from % characters.length, to % characters.length].toSorted((a, b) => a - b) as [
          number,
          number,
        ];
        const before = characters.slice(0, low).join("");
        const segment = characters.slice(low, high + 1).join("");
        const startIndex = new TextEncoder().encode(before).length;
        const endIndex = startIndex + new TextEncoder().encode(segment).length;
        // Split over parts, with thoughts between: offsets count the visible text only.
        const parts = pieces.flatMap((piece) => [{ text: "thinking 漢", thought: true }, { text: piece }]);
        expect(cite(parts, { segment: { startIndex, endIndex, text: segment }, groundingChunkIndices: [0] })).toEqual([
          { start: before.length, end: before.length + segment.length, text: segment, sources: [1], match: "exact" },
        ]);
      }),
    );
  });

  test("takes a missing start for zero", () => {
    expect(cite("Oslo won.", { segment: { endIndex: 9, text: "Oslo won." }, groundingChunkIndices: [0] })).toEqual([
      { start: 0, end: 9, text: "Oslo won.", sources: [1], match: "exact" },
    ]);
  });

  test("counts from the named part when the whole text does not fit", () => {
    const parts = [
      { text: "Thinking", thought: true },
      { text: "First é. " },
      { functionCall: { name: "f" } },
      { text: "Second part." },
    ];
    const inAll = {
      segment: { partIndex: 3, startIndex: 0, endIndex: 12, text: "Second part." },
      groundingChunkIndices: [0],
    };
    const inVisible = {
      segment: { partIndex: 1, startIndex: 0, endIndex: 6, text: "Second" },
      groundingChunkIndices: [1],
    };
    expect(cite(parts, inAll, inVisible)).toEqual([
      { start: 9, end: 15, text: "Second", sources: [2], match: "exact" },
      { start: 9, end: 21, text: "Second part.", sources: [1], match: "exact" },
    ]);
  });

  test("follows the service's drift to the nearest place, also among repeats", () => {
    const rows = Array.from({ length: 40 }, () => "yes. ");
    const text = rows.join("");
    const supports = rows.map((row, index) => ({
      segment: {
        startIndex: index * row.length + 2 * Math.min(index, 3),
        endIndex: (index + 1) * row.length - 1 + 2 * Math.min(index, 3),
        text: row.trim(),
      },
      groundingChunkIndices: [0],
    }));
    expect(cite(text, ...supports).map(({ start, match }) => [start, match])).toEqual(
      rows.map((row, index) => [index * row.length, index === 0 ? "exact" : "moved"]),
    );
  });

  test("looks everywhere when the place is far off", () => {
    const text = `${"x".repeat(5000)} Oslo won.`;
    expect(
      cite(text, { segment: { startIndex: 0, endIndex: 9, text: "Oslo won." }, groundingChunkIndices: [0] }),
    ).toEqual([{ start: 5001, end: 5010, text: "Oslo won.", sources: [1], match: "moved" }]);
  });

  test.each<[string, object, object]>([
    ["a text that is nowhere", { startIndex: 0, endIndex: 4, text: "Bergen" }, { start: 0, end: 4, text: "Bergen" }],
    ["no text to compare", { startIndex: 5, endIndex: 8 }, { start: 5, end: 8, text: "won" }],
    [
      "offsets past the end",
      { startIndex: 900, endIndex: 1000, text: "Bergen" },
      { start: 13, end: 13, text: "Bergen" },
    ],
    ["an end before the start", { startIndex: 5, endIndex: 2 }, { start: 5, end: 5, text: "" }],
    ["offsets inside a character", { startIndex: 11, endIndex: 14 }, { start: 10, end: 12, text: "😀" }],
    ["negative offsets", { startIndex: -4, endIndex: 4, text: "Bergen" }, { start: 0, end: 4, text: "Bergen" }],
  ])("marks %s as unverified, inside the text", (_name, segment, range) => {
    expect(cite("Oslo won. 😀!", { segment, groundingChunkIndices: [0] })).toEqual([
      { ...range, sources: [1], match: "unverified" },
    ]);
  });

  test.each<[string, unknown]>([
    ["without a segment", { groundingChunkIndices: [0] }],
    ["without sources", { segment: { endIndex: 4, text: "Oslo" } }],
    ["of a chunk that is not there", { segment: { endIndex: 4, text: "Oslo" }, groundingChunkIndices: [7, -1] }],
    ["that is null", null],
  ])("leaves out a support %s", (_name, support) => {
    expect(cite("Oslo won.", support)).toEqual([]);
  });

  test("gives the numbers of the whole run", () => {
    const earlier = answer([], { groundingMetadata: { groundingChunks: [web("x"), web("c")] } });
    const last = answer([{ text: "Oslo won." }], {
      groundingMetadata: {
        groundingChunks: CHUNKS,
        groundingSupports: [{ segment: { endIndex: 9, text: "Oslo won." }, groundingChunkIndices: [0, 2] }],
      },
    });
    expect(resolveCitations(last, collectSources([earlier, last]).sources)).toEqual([
      { start: 0, end: 9, text: "Oslo won.", sources: [2, 3], match: "exact" },
    ]);
  });

  test("takes time in proportion to the text and the supports", () => {
    const sentence = "Über 漢字 wins. ";
    const width = new TextEncoder().encode(sentence).length;
    const citeAll = (length: number): void => {
      const supports = Array.from({ length }, (_, index) => ({
        segment: { startIndex: index * width, endIndex: (index + 1) * width - 1, text: sentence.trim() },
        groundingChunkIndices: [0],
      }));
      const citations = cite(sentence.repeat(length), ...supports);
      expect(citations.filter(({ match }) => match === "exact")).toHaveLength(length);
    };
    // Quadratic work would take 256 times as long.
    expect(growthOf(citeAll, 1250, 16)).toBeLessThan(100);
  });
});
