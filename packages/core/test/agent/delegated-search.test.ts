import { Agent, defineTool, googleSearch } from "@pollux/core";
import { call, grounded, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { faces } from "../helpers/faces.ts";

const add = defineTool({ name: "add", description: "x", run: () => 1 });
const found = grounded("Ada won.", {
  sources: [{ uri: "https://a.example", title: "a.example" }],
  queries: ["who won"],
});

describe.each(faces)("%s", (_face, read) => {
  test("search beside functions goes along where the model takes both", async () => {
    const model = new ScriptedModel(found);
    const result = await read(new Agent({ model, tools: [add, googleSearch()] }), "Who won?");
    expect(model.requests[0]).toMatchObject({ builtIns: [{ googleSearch: {} }], functions: [{ name: "add" }] });
    expect(result).toMatchObject({ groundedBy: "native", searchQueries: ["who won"], sources: [{ number: 1 }] });
    expect(result.citations.map(({ start, end, sources }) => [result.text.slice(start, end), sources])).toEqual([
      ["Ada won.", [1]],
    ]);
  });

  test("elsewhere it becomes a function that makes a request of its own, with the same sources and citations", async () => {
    const model = ScriptedModel.with(
      { id: "gemini-2.5-flash" },
      call("google_search", { query: "Who won?" }),
      found,
      say("They say: Ada won. Hooray."),
    );
    const result = await read(
      new Agent({ model, instructions: "Be brief.", tools: [add, googleSearch()] }),
      "Who won?",
    );
    expect(
      model.requests.map(({ functions, builtIns }) => [functions.map(({ name }) => name), builtIns.length]),
    ).toEqual([
      [["add", "google_search"], 0],
      [[], 1],
      [["add", "google_search"], 0],
    ]);
    expect(model.requests[2]?.contents.at(-1)?.parts[0]?.functionResponse?.response).toEqual({
      output: { answer: "Ada won.", sources: [{ title: "a.example", uri: "https://a.example" }] },
    });
    expect(result).toMatchObject({
      groundedBy: "delegated",
      searchQueries: ["who won"],
      sources: [{ number: 1, uri: "https://a.example" }],
      usage: { requests: 3, searchQueries: 1 },
    });
    expect(result.searchEntryPoints).toHaveLength(1);
    expect(result.citations.map(({ start, end, sources }) => [result.text.slice(start, end), sources])).toEqual([
      ["Ada won.", [1]],
    ]);
  });

  test("the tool choice of the agent is not that of the request that searches", async () => {
    const lines = [call("google_search", { query: "Who won?" }), found, say("Ada won.")];
    const model = ScriptedModel.with({ id: "gemini-2.5-flash" }, ...lines);
    const toolChoice = { only: ["google_search"] };
    const { text } = await read(new Agent({ model, tools: [add, googleSearch()], toolChoice }), "Who won?");
    expect(text).toBe("Ada won.");
    expect(model.requests.map(({ calling }) => calling?.mode)).toEqual(["ANY", undefined, undefined]);
  });

  test("costs what the prices of the run say, if the agent has none", async () => {
    const lines = [call("google_search", { query: "Who won?" }), found, say("Ada won.")];
    const model = ScriptedModel.with({ id: "gemini-2.5-flash" }, ...lines);
    const agent = new Agent({ model, tools: [add, googleSearch()] });
    const { cost, usage } = await read(agent, "Who won?", { prices: { input: 1_000_000, output: 0 } });
    expect([cost, usage.requests]).toEqual([usage.inputTokens, 3]);
  });
});
