import {
  codeExecution,
  computerUse,
  defineTool,
  fileSearch,
  googleMaps,
  googleSearch,
  mcpServer,
  type ToolTrust,
  urlContext,
} from "@pollux/core";
import { describe, expect, test } from "vitest";
import { readByService } from "../../src/durable/read-by-step.ts";
import { addRead, markOf, readContents, readInput, type ReadSource, withoutKnown } from "../../src/tool/reads.ts";

const make = (trust: object) => defineTool({ name: "t", description: "x", run: () => 1, ...trust });

test("a tool keeps what its author says, and nothing that is not said", () => {
  const trust = {
    reads: ["untrusted", "private"],
    reach: "lookup",
    origin: "server",
    afterUntrusted: "deny",
    untrustedDescription: true,
  } satisfies ToolTrust;
  expect(make(trust)).toMatchObject(trust);
  for (const name of Object.keys(trust)) expect(make({})).not.toHaveProperty(name);
});

test.each([
  [{ reads: "public" }, 'reads must be "trusted" or "untrusted" or "private" or a function, got "public"'],
  [{ reads: ["untrusted", "secret"] }, "reads must be"],
  [{ reach: "far" }, 'reach must be "inside" or "lookup" or "outside" or a function, got "far"'],
  [{ afterUntrusted: true }, 'afterUntrusted must be "ask" or "deny" or "allow", got boolean'],
])("%j is an error when the tool is defined", (trust, message) => {
  expect(() => make(trust)).toThrow(message);
});

test.each([
  ["trusted", undefined],
  ["untrusted", "untrusted"],
  [["private"], "private"],
  [["private", "untrusted"], "both"],
  [undefined, "both"],
  [[], "both"],
  ["else", "both"],
])("%j is recorded as %j", (reads, mark) => {
  expect(markOf(reads)).toBe(mark);
});

test("every built-in tool says what it reads and how far it reaches", () => {
  const server = mcpServer({ name: "a", url: "https://a.example/mcp" });
  const all = [
    googleSearch(),
    googleMaps(),
    urlContext(),
    fileSearch({ stores: ["s"] }),
    codeExecution(),
    computerUse(),
    server,
  ];
  expect(Object.fromEntries(all.map(({ name, reads, reach }) => [name, `${String(reads)} ${reach}`]))).toEqual({
    googleSearch: "untrusted inside",
    googleMaps: "untrusted inside",
    urlContext: "untrusted lookup",
    fileSearch: "private inside",
    codeExecution: "trusted inside",
    computerUse: "untrusted outside",
    mcpServers: "untrusted,private outside",
  });
});

describe("what the service has read", () => {
  const answer = (candidate: object, ...parts: readonly object[]) =>
    readByService({ content: { role: "model", parts }, candidate }).map(({ tool, reads }) => `${tool} ${reads}`);

  test.each<[what: string, candidate: object, parts: readonly object[], read: readonly string[]]>([
    ["nothing", {}, [{ text: "x" }], []],
    ["pages", { groundingMetadata: { groundingChunks: [{ web: { uri: "x" } }] } }, [], ["googleSearch untrusted"]],
    ["queries alone", { groundingMetadata: { webSearchQueries: ["x"] } }, [], ["googleSearch untrusted"]],
    ["no search, only how likely one was", { groundingMetadata: { retrievalMetadata: { score: 0.1 } } }, [], []],
    ["places", { groundingMetadata: { groundingChunks: [{ maps: {} }] } }, [], ["maps untrusted"]],
    [
      "documents",
      { groundingMetadata: { groundingChunks: [{ retrievedContext: {} }] } },
      [],
      ["retrievedContext private"],
    ],
    [
      "documents by their queries",
      { groundingMetadata: { retrievalQueries: ["x"] } },
      [],
      ["retrievedContext private"],
    ],
    ["something new", { groundingMetadata: { groundingChunks: [{ dreams: {} }] } }, [], ["dreams both"]],
    ["an address", { urlContextMetadata: { urlMetadata: [] } }, [], ["urlContext untrusted"]],
    [
      "a search beside functions",
      {},
      [{ toolResponse: { toolType: "GOOGLE_SEARCH_WEB" } }],
      ["googleSearch untrusted"],
    ],
    ["files beside functions", {}, [{ toolResponse: { toolType: "FILE_SEARCH" } }], ["fileSearch private"]],
    [
      "both that tell of one search, once",
      { groundingMetadata: { groundingChunks: [{ web: {} }] } },
      [{ toolResponse: { toolType: "GOOGLE_SEARCH_IMAGE" } }],
      ["googleSearch untrusted"],
    ],
    ["something new beside functions", {}, [{ toolResponse: { toolType: "DREAM" } }], ["dream both"]],
    ["a function that it ran", {}, [{ functionResponse: { name: "f", response: {} } }], ["f unknown"]],
  ])("is told from %s", (_what, candidate, parts, read) => {
    expect(answer(candidate, ...parts)).toEqual(read);
  });
});

test("contents of which nothing is recorded bring results by name, and files of the user's", () => {
  expect(
    readContents([
      { role: "user", parts: [{ text: "x" }, { inlineData: { mimeType: "image/png", data: "" } }] },
      { role: "model", parts: [{ inlineData: { mimeType: "image/png", data: "" } }] },
      { role: "user", parts: [{ functionResponse: { name: "f", response: {} } }] },
      { role: "user", parts: [{ functionResponse: { name: "f", response: {} } }] },
    ]),
  ).toEqual([
    { tool: "file", reads: "both" },
    { tool: "f", reads: "unknown" },
  ]);
});

test("a message that a model wrote may contain what that model has read, and its caller gets the new sources", () => {
  const read = [{ tool: "note", reads: "private" }] as const;
  const found = readInput([{ role: "user", parts: [{ text: "x" }] }], { read, reads: "untrusted" });
  expect(found).toEqual([...read, { tool: "caller", reads: "private" }, { tool: "message", reads: "untrusted" }]);
  expect(withoutKnown(found, read)).toEqual([{ tool: "message", reads: "untrusted" }]);
});

test("a list has each source once; a tool's description is another one than its results", () => {
  const list: ReadSource[] = [];
  const result = { tool: "list", reads: "untrusted", origin: "server" } as const;
  addRead(list, { ...result, description: true }, result, result, { ...result, reads: "private" });
  expect(list).toEqual([{ ...result, description: true }, result, { ...result, reads: "private" }]);
});
