import { renderMarkdown } from "@pollux/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Annotation, type Content, readResult } from "../src/index.ts";

const cite = (fields: object): Annotation => ({ type: "url_citation", ...fields });
const output = (...content: readonly Content[]) => ({ steps: [{ type: "model_output", content }] });

test("reads text, sources and ranges, over an image and characters of several bytes", () => {
  const first = "Naïve 🔬 words.";
  const end = Buffer.byteLength(first);
  const result = readResult({
    steps: [
      { type: "user_input", content: [{ type: "text", text: "not this" }] },
      { type: "thought", summary: [{ type: "text", text: "Hm." }], signature: "s" },
      { type: "google_search_call", id: "a", arguments: { queries: ["one", "two"] } },
      { type: "google_search_result", call_id: "a", result: [{ search_suggestions: "<b>one</b>" }] },
      {
        type: "model_output",
        content: [
          {
            type: "text",
            text: first,
            annotations: [cite({ url: "https://a.example", title: "a", start_index: 7, end_index: end })],
          },
          { type: "image", data: "aGk=", mime_type: "image/png" },
          {
            type: "text",
            text: " Then more.",
            annotations: [
              cite({ url: "https://b.example", title: "b", start_index: 1, end_index: 11 }),
              cite({ url: "https://a.example", title: "a", start_index: 1, end_index: 11 }),
            ],
          },
        ],
      },
    ],
  });
  expect(result).toMatchObject({
    text: "Naïve 🔬 words. Then more.",
    sources: [
      { number: 1, kind: "web", uri: "https://a.example", title: "a" },
      { number: 2, kind: "web", uri: "https://b.example", title: "b" },
    ],
    citations: [
      { start: 6, end: 15, text: "🔬 words.", sources: [1], match: "exact" },
      { start: 16, end: 26, text: "Then more.", sources: [1, 2], match: "exact" },
    ],
    searchQueries: ["one", "two"],
    searchEntryPoints: ["<b>one</b>"],
    media: [{ type: "image", data: "aGk=", mime_type: "image/png" }],
    thoughts: ["Hm."],
  });
  expect(renderMarkdown(result)).toContain("Then more.[1][2]");
});

describe("annotations", () => {
  test.each<[string, Annotation, object]>([
    [
      "of a place",
      { type: "place_citation", place_id: "places/x", name: "Café", url: "https://maps.example" },
      { kind: "maps", title: "Café" },
    ],
    [
      "of a file",
      { type: "file_citation", document_uri: "files/a", file_name: "a.pdf", page_number: 3 },
      { kind: "document", pageNumber: 3, uri: "files/a" },
    ],
    [
      "of a new kind",
      { type: "moon_citation", url: "https://moon.example" },
      { kind: "other", uri: "https://moon.example" },
    ],
  ])("%s", (_, annotation, source) => {
    expect(readResult(output({ type: "text", text: "x", annotations: [annotation] })).sources).toMatchObject([source]);
  });

  test("that name no source are none, and neither are empty interactions", () => {
    const spoken = { type: "speech_metadata", speaker: "A", start_index: 0, end_index: 1 };
    expect(readResult(output({ type: "text", text: "x", annotations: [spoken] })).sources).toEqual([]);
    expect(readResult({})).toMatchObject({ text: "", sources: [], citations: [] });
  });

  test("whose offsets are wrong never split a character, and never leave the text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.integer({ min: -5, max: 60 }),
        fc.integer({ min: -5, max: 60 }),
        (text, start, end) => {
          const annotation = cite({ url: "https://a.example", start_index: start, end_index: end });
          for (const citation of readResult(output({ type: "text", text, annotations: [annotation] })).citations) {
            expect(text.slice(citation.start, citation.end)).toBe(citation.text);
            expect(() => encodeURIComponent(citation.text)).not.toThrow();
          }
        },
      ),
    );
  });
});
