import { Agent, type ToolContext } from "@pollux/core";
import type { NestedRun } from "@pollux/core/tool";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { type FoundPage, type SearchResults, searchTool, type SearchToolOptions } from "../src/search.ts";

const PAGES: readonly FoundPage[] = Array.from({ length: 30 }, (_, index) => ({
  title: `Page ${index}`,
  uri: `https://example.com/${index}`,
  snippet: `About ${index}`,
}));

/** Calls the tool as the loop does, and gives what it attached to the run. */
async function use(options: SearchToolOptions, args: object, signal = new AbortController().signal) {
  const attached: NestedRun[] = [];
  const tool = searchTool(options);
  // The tool reads nothing else of the context.
  const context = { signal, attach: (run) => void attached.push(run) } as ToolContext;
  return { output: await tool.run(await tool.parse(args), context), attached };
}

describe("searchTool", () => {
  test("declares that it only reads, under a name and with a description of its own", () => {
    const { name, description, effects, timeoutMs } = searchTool({
      search: () => [],
      name: "search_wiki",
      description: "Searches the wiki.",
      timeoutMs: 5,
    });
    expect({ name, description, effects, timeoutMs }).toEqual({
      name: "search_wiki",
      description:
        "Searches the wiki. Returns title, URL and a snippet of each page, best first. For more results for the same query, set offset to next_offset.",
      effects: "none",
      timeoutMs: 5,
    });
    expect(searchTool({ search: () => [] })).toMatchObject({ name: "web_search", timeoutMs: 30_000 });
  });

  test("pages through the results of a service that knows only a limit", async () => {
    const limits: number[] = [];
    const search: SearchToolOptions["search"] = async (_query, { limit }) => {
      limits.push(limit);
      return PAGES.slice(0, limit);
    };
    const pages = async (args: object): Promise<unknown> => {
      const { output } = await use({ search, maxResults: 12, pageSize: 5 }, { query: " a ", ...args });
      const { results, ...rest } = output as SearchResults;
      return { ...rest, uris: results.map(({ uri }) => uri.slice("https://example.com/".length)) };
    };
    expect(await pages({})).toEqual({ query: "a", uris: ["0", "1", "2", "3", "4"], next_offset: 5 });
    expect(await pages({ offset: 5, limit: 3 })).toEqual({ query: "a", uris: ["5", "6", "7"], next_offset: 8 });
    expect(await pages({ offset: 8 })).toEqual({ query: "a", uris: ["8", "9", "10", "11"] });
    expect(await pages({ offset: 12 })).toEqual({
      query: "a",
      uris: [],
      note: "there are no more results; try different words",
    });
    expect(limits).toEqual([6, 9, 12, 12]);
  });

  test("says what to do when nothing was found, and attaches nothing", async () => {
    expect(await use({ search: () => [] }, { query: "x" })).toEqual({
      output: { query: "x", results: [], note: "nothing found; try fewer or different words" },
      attached: [],
    });
  });

  test("passes on only what is well-formed, each address once, in bounds", async () => {
    const found = [
      null,
      { title: "no address" },
      { uri: "https://a/", title: " A\n title ", snippet: "s".repeat(20) },
      { uri: "https://a/", title: "again" },
      { uri: "https://b/", title: 7, snippet: "  " },
      { uri: `https://c/${"c".repeat(3_000)}` },
    ];
    const { output } = await use({ search: () => found as FoundPage[], maxSnippetCharacters: 10 }, { query: "x" });
    expect(output).toEqual({
      query: "x",
      results: [{ title: "A title", uri: "https://a/", snippet: `${"s".repeat(10)}…` }, { uri: "https://b/" }],
    });
  });

  test("refuses empty queries, bad options and answers that are no list", async () => {
    await expect(use({ search: () => [] }, { query: " " })).rejects.toThrow(/query/);
    expect(() => searchTool({ search: () => [], pageSize: 0 })).toThrow(
      "searchTool(): pageSize must be an integer of at least 1, got 0",
    );
    await expect(use({ search: () => "no" as never }, { query: "x" })).rejects.toThrow(
      "the search function of this tool did not return a list of results",
    );
  });

  test("hands on the signal", async () => {
    const controller = new AbortController();
    const reason = new Error("stop");
    const search: SearchToolOptions["search"] = (_query, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        controller.abort(reason);
      });
    await expect(use({ search }, { query: "x" }, controller.signal)).rejects.toBe(reason);
  });
});

describe("in an agent", () => {
  test("what was found is among the run's sources, each once, and costs no tokens", async () => {
    const search = searchTool({
      search: async (query) => [{ title: "Oslo", uri: `https://x.org/${query}` }, PAGES[0]!],
    });
    const script = () =>
      new ScriptedModel(call("web_search", { query: "a" }), call("web_search", { query: "b" }), say("Done."));
    const model = script();
    const result = await new Agent({ model, tools: [search] }).run("?");
    const sources = [
      ["Oslo", "https://x.org/a"],
      ["Page 0", "https://example.com/0"],
      ["Oslo", "https://x.org/b"],
    ].map(([title, uri], index) => ({ number: index + 1, kind: "web", uri, title, chunk: { web: { uri, title } } }));
    expect({ sources: result.sources, queries: result.searchQueries, requests: result.usage.requests }).toEqual({
      sources,
      queries: ["a", "b"],
      requests: 3,
    });
    model.assertSpent();
    const run = new Agent({ model: script(), tools: [search] }).stream("?");
    for await (const _event of run);
    expect((await run.result()).sources).toEqual(sources);
  });
});
