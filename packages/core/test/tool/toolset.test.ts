import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { ToolDefinitionError } from "../../src/errors/run-errors.ts";
import {
  codeExecution,
  computerUse,
  fileSearch,
  googleMaps,
  googleSearch,
  mcpServer,
  urlContext,
} from "../../src/tool/built-in.ts";
import { defineTool } from "../../src/tool/define-tool.ts";
import type { Tool } from "../../src/tool/tool.ts";
import { buildToolset } from "../../src/tool/toolset.ts";

function named(name: string): Tool {
  return defineTool({ name, description: "d", run: () => 1 }) as Tool;
}

describe("toolset", () => {
  test("keeps functions and built-in tools apart, in order", () => {
    const [a, b] = [named("a"), named("b")];
    const search = googleSearch();
    expect(buildToolset([b, search, a])).toEqual({
      byName: new Map([
        ["b", b],
        ["a", a],
      ]),
      functions: [b.declaration, a.declaration],
      builtIns: [{ googleSearch: {} }],
    });
  });
  test("the same tool twice is one", () => {
    const a = named("a");
    expect(buildToolset([a, a, googleSearch(), googleSearch()])).toMatchObject({
      functions: [a.declaration],
      builtIns: [{ googleSearch: {} }],
    });
  });
  test("two tools of one name are refused (E-32)", () => {
    expect(() => buildToolset([named("a"), named("a")])).toThrow(ToolDefinitionError);
  });
  test("one built-in tool with two sets of options is refused", () => {
    expect(() =>
      buildToolset([fileSearch({ stores: ["fileSearchStores/a"] }), fileSearch({ stores: ["fileSearchStores/b"] })]),
    ).toThrow("merge them into one");
  });
  test("MCP servers are told apart by name", () => {
    const [docs, mail] = ["docs", "mail"].map((name) => mcpServer({ name, url: `https://${name}.example/mcp` }));
    expect(buildToolset([docs!, mail!, docs!]).builtIns).toEqual([docs!.wire, mail!.wire]);
    expect(() => buildToolset([docs!, mcpServer({ name: "docs", url: "https://other.example/mcp" })])).toThrow(
      'the MCP server "docs" is passed twice with different options: rename one',
    );
  });
  test("512 functions are taken, 513 are not", () => {
    const tools = Array.from({ length: 513 }, (_, index) => named(`t${index}`));
    expect(buildToolset(tools.slice(1)).functions).toHaveLength(512);
    expect(() => buildToolset(tools)).toThrow("513 functions");
  });
});

describe("built-in tools are the service's own objects", () => {
  test.each([
    [googleSearch(), { googleSearch: {} }],
    [
      googleSearch({
        timeRange: { startTime: "2026-01-01T00:00:00Z", endTime: "2026-02-01T00:00:00Z" },
        searchTypes: ["web", "image"],
        excludeDomains: ["x.no"],
      }),
      {
        googleSearch: {
          searchTypes: { webSearch: {}, imageSearch: {} },
          timeRangeFilter: { startTime: "2026-01-01T00:00:00Z", endTime: "2026-02-01T00:00:00Z" },
          excludeDomains: ["x.no"],
        },
      },
    ],
    [googleMaps(), { googleMaps: {} }],
    [
      googleMaps({ groundingTypes: ["places", "routing"] }),
      { googleMaps: { groundingTypes: { places: {}, routing: {} } } },
    ],
    [
      mcpServer({ name: "docs", url: "https://docs.example/mcp" }),
      { mcpServers: [{ name: "docs", streamableHttpTransport: { url: "https://docs.example/mcp" } }] },
    ],
    [
      mcpServer({
        name: "docs",
        url: "https://docs.example/mcp",
        headers: { authorization: "Bearer t0ken" },
        timeoutMs: 30_000,
        sseReadTimeoutMs: 1500,
        terminateOnClose: false,
      }),
      {
        mcpServers: [
          {
            name: "docs",
            streamableHttpTransport: {
              url: "https://docs.example/mcp",
              headers: { authorization: "Bearer t0ken" },
              timeout: "30s",
              sseReadTimeout: "1.5s",
              terminateOnClose: false,
            },
          },
        ],
      },
    ],
    [urlContext(), { urlContext: {} }],
    [codeExecution(), { codeExecution: {} }],
    [
      fileSearch({ stores: ["fileSearchStores/a"], metadataFilter: 'a = "b"', topK: 3 }),
      { fileSearch: { fileSearchStoreNames: ["fileSearchStores/a"], metadataFilter: 'a = "b"', topK: 3 } },
    ],
    [computerUse(), { computerUse: { environment: "ENVIRONMENT_BROWSER" } }],
    [
      computerUse({
        environment: "ENVIRONMENT_MOBILE",
        excluded: ["drag_and_drop"],
        promptInjectionDetection: true,
        disabledSafetyPolicies: ["X"],
      }),
      {
        computerUse: {
          environment: "ENVIRONMENT_MOBILE",
          excludedPredefinedFunctions: ["drag_and_drop"],
          enablePromptInjectionDetection: true,
          disabledSafetyPolicies: ["X"],
        },
      },
    ],
  ])("$name", (tool, wire) => {
    expect(JSON.parse(JSON.stringify(tool.wire))).toEqual(wire);
    expect(Object.keys(tool.wire)).toEqual([tool.name]);
    expect(tool.kind).toBe("built-in");
  });
  test("an MCP server does not show its headers when it is printed", () => {
    const tool = mcpServer({ name: "docs", url: "https://docs.example/mcp", headers: { authorization: "t0ken" } });
    expect(inspect(tool, { depth: 9, showHidden: true })).not.toContain("t0ken");
  });
  test.each<[string, Parameters<typeof mcpServer>[0]]>([
    ["a name", { name: "", url: "https://docs.example/mcp" }],
    ["a full address", { name: "docs", url: "docs.example/mcp" }],
    ["an address of the web", { name: "docs", url: "file:///mcp" }],
    ["a time that is a number", { name: "docs", url: "https://docs.example/mcp", timeoutMs: Number.NaN }],
    ["a time above 0", { name: "docs", url: "https://docs.example/mcp", sseReadTimeoutMs: 0 }],
  ])("an MCP server needs %s", (_what, options) => {
    expect(() => mcpServer(options)).toThrow(TypeError);
  });
  test("file search without a store is refused", () => {
    expect(() => fileSearch({ stores: [] })).toThrow(TypeError);
  });
});
