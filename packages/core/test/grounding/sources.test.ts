import { describe, expect, test } from "vitest";
import { collectSources, isWebUrl, numberChunks } from "../../src/grounding/sources.ts";
import { answer, web } from "./answers.ts";

/** The sources of one answer with these chunks, without the chunks. */
function sourcesOf(...chunks: readonly unknown[]): unknown {
  const { sources } = collectSources([answer([], { groundingMetadata: { groundingChunks: chunks } })]);
  return sources.map((source) => Object.fromEntries(Object.entries(source).filter(([field]) => field !== "chunk")));
}

describe("collectSources", () => {
  test("numbers sources over a run in order of first appearance and keeps each once", () => {
    const found = collectSources([
      answer([], { groundingMetadata: { groundingChunks: [web("b"), web("a")] } }),
      answer([], {}),
      answer([], { groundingMetadata: { groundingChunks: [web("a"), web("c")] } }),
    ]);
    expect(found.sources).toEqual([
      { number: 1, kind: "web", uri: "https://b.example/", title: "b", chunk: web("b") },
      { number: 2, kind: "web", uri: "https://a.example/", title: "a", chunk: web("a") },
      { number: 3, kind: "web", uri: "https://c.example/", title: "c", chunk: web("c") },
    ]);
  });

  test.each<[string, unknown, object]>([
    ["web", web("a"), { kind: "web", uri: "https://a.example/", title: "a" }],
    [
      "image",
      { image: { sourceUri: "https://p.example/", imageUri: "https://p.example/i.png", title: "P" } },
      { kind: "image", uri: "https://p.example/", title: "P" },
    ],
    [
      "image without a page",
      { image: { imageUri: "https://p.example/i.png" } },
      { kind: "image", uri: "https://p.example/i.png" },
    ],
    [
      "maps",
      { maps: { uri: "https://maps.example/?cid=1", title: "Cafe", placeId: "places/1" } },
      { kind: "maps", uri: "https://maps.example/?cid=1", title: "Cafe" },
    ],
    [
      "document",
      { retrievedContext: { uri: "gs://b/x.pdf", title: "X" } },
      { kind: "document", uri: "gs://b/x.pdf", title: "X" },
    ],
    [
      "document by name",
      { retrievedContext: { documentName: "stores/1/documents/2" } },
      { kind: "document", title: "stores/1/documents/2" },
    ],
    [
      "a new kind",
      { podcast: { uri: "https://pod.example/", title: "Pod", minute: 3 } },
      { kind: "other", uri: "https://pod.example/", title: "Pod" },
    ],
    ["an empty chunk", {}, { kind: "other" }],
    ["something that is no object", null, { kind: "other" }],
  ])("keeps %s", (_name, chunk, source) => {
    expect(sourcesOf(chunk)).toEqual([{ number: 1, ...source }]);
    expect(collectSources([answer([], { groundingMetadata: { groundingChunks: [chunk] } })]).sources[0]?.chunk).toEqual(
      chunk,
    );
  });

  test("tells pages and images of a document apart", () => {
    const manual = { title: "Manual", fileSearchStore: "fileSearchStores/s" };
    const media = { ...manual, pageNumber: 9, mediaId: "fileSearchStores/s/media/m" };
    const chunks = [
      { retrievedContext: { ...manual, text: "one", pageNumber: 7 } },
      { retrievedContext: { ...manual, text: "two", pageNumber: 7 } },
      { retrievedContext: { ...manual, text: "three", pageNumber: 8 } },
      { retrievedContext: media },
    ];
    expect(sourcesOf(...chunks)).toEqual([
      { number: 1, kind: "document", title: "Manual", pageNumber: 7 },
      { number: 2, kind: "document", title: "Manual", pageNumber: 8 },
      { number: 3, kind: "document", title: "Manual", pageNumber: 9, mediaId: media.mediaId },
    ]);
    const { sources } = collectSources([answer([], { groundingMetadata: { groundingChunks: chunks } })]);
    expect(numberChunks(chunks, sources)).toEqual([1, 1, 2, 3]);
  });

  test("takes places with one id, and chunks of one document, for one source", () => {
    expect(
      sourcesOf(
        { maps: { uri: "https://maps.example/1", placeId: "places/1" } },
        { maps: { uri: "https://maps.example/2", placeId: "places/1" } },
        { retrievedContext: { title: "Manual", fileSearchStore: "fileSearchStores/s", text: "page 1" } },
        { retrievedContext: { title: "Manual", fileSearchStore: "fileSearchStores/s", text: "page 2" } },
        { retrievedContext: { title: "Manual", fileSearchStore: "fileSearchStores/other", text: "page 1" } },
      ),
    ).toEqual([
      { number: 1, kind: "maps", uri: "https://maps.example/1" },
      { number: 2, kind: "document", title: "Manual" },
      { number: 3, kind: "document", title: "Manual" },
    ]);
  });

  test("counts only pages that were read", () => {
    const read = { retrievedUrl: "https://read.example/", urlRetrievalStatus: "URL_RETRIEVAL_STATUS_SUCCESS" };
    const found = collectSources([
      answer([], {
        groundingMetadata: { groundingChunks: [web("a")] },
        urlContextMetadata: {
          urlMetadata: [
            read,
            { retrievedUrl: "https://a.example/", urlRetrievalStatus: "URL_RETRIEVAL_STATUS_SUCCESS" },
            { retrievedUrl: "https://paid.example/", urlRetrievalStatus: "URL_RETRIEVAL_STATUS_PAYWALL" },
            { urlRetrievalStatus: "URL_RETRIEVAL_STATUS_SUCCESS" },
          ],
        },
      }),
    ]);
    expect(found.sources.map(({ kind, uri }) => [kind, uri])).toEqual([
      ["web", "https://a.example/"],
      ["url", "https://read.example/"],
    ]);
  });

  test("gathers queries and entry points once each, from the metadata and from the service's own calls", () => {
    const found = collectSources([
      answer([
        { toolCall: { toolType: "GOOGLE_SEARCH_WEB", args: { queries: ["oslo weather"] }, id: "1" } },
        { toolResponse: { toolType: "GOOGLE_SEARCH_WEB", response: { search_suggestions: "<p>1</p>" }, id: "1" } },
      ]),
      answer([], {
        groundingMetadata: {
          webSearchQueries: ["oslo weather", "bergen weather"],
          imageSearchQueries: ["fjord"],
          retrievalQueries: ["manual"],
          searchEntryPoint: { renderedContent: "<p>2</p>" },
        },
      }),
    ]);
    expect(found).toEqual({
      sources: [],
      searchQueries: ["oslo weather", "bergen weather", "fjord", "manual"],
      searchEntryPoints: ["<p>1</p>", "<p>2</p>"],
    });
  });

  test("takes one entry point when an answer carries it in two places", () => {
    const found = collectSources([
      answer([{ toolResponse: { toolType: "GOOGLE_SEARCH_WEB", response: { search_suggestions: "<p>call</p>" } } }], {
        groundingMetadata: { searchEntryPoint: { renderedContent: "<p>metadata</p>" } },
      }),
    ]);
    expect(found.searchEntryPoints).toEqual(["<p>metadata</p>"]);
  });

  test("survives fields that are not what the service documents", () => {
    const found = collectSources([
      answer([], {
        groundingMetadata: { groundingChunks: "x", webSearchQueries: [1, null] },
        urlContextMetadata: { urlMetadata: {} },
      }),
    ]);
    expect(found).toEqual({ sources: [], searchQueries: [], searchEntryPoints: [] });
  });
});

test.each([
  ["https://a.example/b?c#d", true],
  ["HTTP://a.example", true],
  ["javascript:alert(1)", false],
  ["JavaScript://a.example/%0aalert(1)", false],
  [" https://a.example", false],
  ["\tjavascript:alert(1)", false],
  ["java\nscript:alert(1)", false],
  ["data:text/html,https://a.example", false],
  ["vbscript:x", false],
  ["file:///etc/passwd", false],
  ["gs://bucket/a.pdf", false],
  ["//a.example/b", false],
  ["/b", false],
  ["https://", false],
  ["", false],
])("%j can be a link: %s", (url, expected) => {
  expect(isWebUrl(url)).toBe(expected);
});
