import { Agent, type TurnInfo } from "@pollux/core";
import { call, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { ConfigurationError } from "../../src/errors/agent-error.ts";
import { ToolError, ModelRetry } from "../../src/errors/run-errors.ts";
import { buildDelegatedTools, mixTools } from "../../src/grounding/delegate.ts";
import {
  codeExecution,
  computerUse,
  fileSearch,
  googleMaps,
  googleSearch,
  urlContext,
} from "../../src/tool/built-in.ts";
import { defineTool } from "../../src/tool/define-tool.ts";
import type { ToolTrust } from "../../src/tool/reads.ts";
import type { AnyTool, BuiltInTool, Tool, ToolContext } from "../../src/tool/tool.ts";

// Handed through untouched, so nothing in it is ever read.
const CONTEXT = { callId: "call:1.0" } as ToolContext;

const nothing = async (): Promise<{ text: string; sources: [] }> => ({ text: "", sources: [] });

function only(builtIn: BuiltInTool): Tool {
  return buildDelegatedTools([builtIn], nothing)[0]!;
}

describe("buildDelegatedTools", () => {
  test("makes one function of each built-in tool", () => {
    const tools = buildDelegatedTools(
      [googleSearch(), googleMaps(), urlContext(), codeExecution(), fileSearch({ stores: ["fileSearchStores/a"] })],
      nothing,
    );
    expect(tools.map(({ kind, name }) => [kind, name])).toEqual([
      ["function", "google_search"],
      ["function", "google_maps"],
      ["function", "url_context"],
      ["function", "code_execution"],
      ["function", "file_search"],
    ]);
    expect(tools[2]?.declaration).toEqual({
      name: "url_context",
      description: "Reads web pages and answers a question about them.",
      parametersJsonSchema: {
        type: "object",
        properties: {
          question: { type: "string", description: "What to find out from the pages" },
          urls: { type: "array", items: { type: "string" }, description: "Full URLs of the pages, at most 20" },
        },
        required: ["question", "urls"],
      },
    });
  });

  test("asks with the very tool, the prompt and the call's context, and gives the answer with its sources", async () => {
    const asked: unknown[] = [];
    const search = googleSearch({ excludeDomains: ["b.example"] });
    const [tool] = buildDelegatedTools([search], async (...question) => {
      asked.push(question);
      return { text: "21 °C.", sources: [{ title: "a", uri: "https://a.example/" }, { title: "b" }] };
    });
    const input = await tool!.parse({ query: "Weather in Oslo?", more: 1 });
    expect(await tool!.run(input, CONTEXT)).toEqual({
      answer: "21 °C.",
      sources: [{ title: "a", uri: "https://a.example/" }, { title: "b" }],
    });
    expect(asked).toEqual([[search, "Weather in Oslo?", CONTEXT]]);
  });

  test("puts question and addresses into one prompt", async () => {
    const asked: string[] = [];
    const [tool] = buildDelegatedTools([urlContext()], async (_builtIn, prompt) => {
      asked.push(prompt);
      return { text: "yes", sources: [] };
    });
    await tool!.run(
      await tool!.parse({ urls: ["https://a.example/", "https://b.example/"], question: "Open on Sunday?" }),
      CONTEXT,
    );
    expect(asked).toEqual(["Open on Sunday?\n\nhttps://a.example/\nhttps://b.example/"]);
  });

  test.each<[BuiltInTool, unknown, string]>([
    [googleSearch(), {}, 'google_search needs "query": a non-empty string'],
    [googleSearch(), undefined, 'google_search needs "query": a non-empty string'],
    [codeExecution(), { task: "  " }, 'code_execution needs "task": a non-empty string'],
    [urlContext(), { question: "x", urls: [] }, 'url_context needs "urls": a non-empty list of strings'],
    [
      urlContext(),
      { question: "x", urls: "https://a.example/" },
      'url_context needs "urls": a non-empty list of strings',
    ],
  ])("tells the model what is wrong with its arguments", (builtIn, args, message) => {
    expect(() => only(builtIn).parse(args)).toThrow(new ModelRetry(message));
  });

  test("says so when the answer is empty", async () => {
    const [tool] = buildDelegatedTools([googleSearch()], async () => ({
      text: " ",
      sources: [],
      stopReason: "blocked",
    }));
    await expect((async () => tool!.run({ query: "x" }, CONTEXT))()).rejects.toThrow(
      new ToolError("google_search returned no answer (blocked); rephrase and try again"),
    );
  });

  test("refuses a tool that cannot stand alone", () => {
    expect(() => buildDelegatedTools([computerUse()], nothing)).toThrow(ConfigurationError);
  });
});

describe("mixTools", () => {
  const look = (trust: ToolTrust = {}): Tool => defineTool({ name: "look", description: "x", run: () => 1, ...trust });
  const mix = (tools: readonly AnyTool[], builtInsWithFunctions = true) => {
    const capabilities = { builtInsWithFunctions } as Parameters<typeof mixTools>[1];
    const { toolset, delegates } = mixTools(tools, capabilities, nothing);
    return [[...toolset.byName.keys()], toolset.builtIns.map((one) => Object.keys(one)[0]), delegates];
  };
  const files = fileSearch({ stores: ["fileSearchStores/a"] });

  test.each<[what: string, tools: readonly AnyTool[], mixed: unknown]>([
    ["alone", [urlContext()], [[], ["urlContext"], false]],
    [
      "beside what is not private",
      [urlContext(), googleSearch(), look({ reads: "untrusted" })],
      [["look"], ["urlContext", "googleSearch"], false],
    ],
    [
      "beside what is private",
      [urlContext(), googleSearch(), look({ reads: "private" })],
      [["look", "url_context"], ["googleSearch"], true],
    ],
    ["beside what says nothing", [urlContext(), look()], [["look", "url_context"], [], true]],
    [
      "beside what depends on the call",
      [urlContext(), look({ reads: () => "trusted" })],
      [["look", "url_context"], [], true],
    ],
    ["beside documents", [urlContext(), files], [["url_context"], ["fileSearch"], true]],
  ])("what the service looks up runs inside the request, where nobody can be asked: %s", (_what, tools, mixed) => {
    expect(mix(tools)).toEqual(mixed);
  });

  test("a model that takes no functions beside them gets all of them as functions, also for that", () => {
    expect(mix([urlContext(), files], false)).toEqual([["url_context", "file_search"], [], true]);
    expect(mix([urlContext(), googleSearch()], false)).toEqual([[], ["urlContext", "googleSearch"], false]);
  });

  test("as functions they say what they read, and how far they reach", () => {
    expect(only(urlContext())).toMatchObject({ reads: "untrusted", reach: "lookup" });
    expect(only(files)).toMatchObject({ reads: "private", reach: "inside" });
    expect(only(googleSearch())).toMatchObject({ reads: "untrusted", reach: "inside" });
  });

  test("a turn that is prepared without what may have read something private asks about it, too", async () => {
    const model = new ScriptedModel(call("look"), call("url_context", { urls: ["https://a.example"], question: "x" }));
    const page = defineTool({ name: "page", description: "x", reads: "untrusted", run: () => 1 });
    const prepareTurn = ({ turn }: TurnInfo) => ({ tools: turn === 1 ? ["look"] : [urlContext(), page] });
    await new Agent({
      model,
      tools: [look({ reads: ["private", "untrusted"] })],
      hooks: { prepareTurn },
    }).run("Go.");
    const [, { functions, builtIns } = { functions: [], builtIns: [] }] = model.requests;
    expect([functions.map(({ name }) => name), builtIns]).toEqual([["page", "url_context"], []]);
  });
});
