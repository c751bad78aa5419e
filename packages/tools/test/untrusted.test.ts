import { DatabaseSync } from "node:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Reach, Reads, Tool } from "@pollux/core";
import { afterAll, describe, expect, test } from "vitest";
import { askUser } from "../src/ask-user.ts";
import { calculator } from "../src/calculator.ts";
import { fileTools } from "../src/files.ts";
import { httpRequest, webFetch } from "../src/http.ts";
import { Connection } from "../src/mcp/connection.ts";
import type { McpToolsOptions } from "../src/mcp.ts";
import { noteTools } from "../src/notes.ts";
import { openApiSearch, openApiTools } from "../src/openapi.ts";
import { searchTool } from "../src/search.ts";
import { shellTool } from "../src/shell.ts";
import { sqliteTools } from "../src/sql.ts";
import { timeTools } from "../src/time.ts";
import { todoList } from "../src/todo.ts";
import { useOddServer } from "./mcp/odd-server.ts";

const folder = mkdtempSync(join(tmpdir(), "pollux-untrusted-"));
const file = join(folder, "shop.sqlite");
new DatabaseSync(file).close();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DOCUMENT = {
  openapi: "3.1.0",
  servers: [{ url: "https://api.example.com" }],
  paths: {
    "/pets": {
      get: { operationId: "list_pets", responses: {} },
      post: { operationId: "add_pet", responses: {} },
    },
    "/reviews": {
      get: { operationId: "list_reviews", servers: [{ url: "https://reviews.example.net" }], responses: {} },
    },
  },
};

const BOTH = ["untrusted", "private"] as const;
const PAGE = "https://example.com/a?b=c";
const ALLOW = ["example.com"];

interface Row {
  readonly tool: Tool | undefined;
  readonly args?: object;
  readonly reads: Reads;
  readonly reach: Reach;
  readonly seen?: readonly string[];
}

function named(tools: readonly Tool[], name: string): Tool | undefined {
  return tools.find((tool) => tool.name === name);
}

const files = fileTools({ root: folder, write: true });
const notes = noteTools();
const api = openApiTools(DOCUMENT).tools;
const known = openApiTools(DOCUMENT, { auth: { bearer: "a-long-token" } }).tools;
const found = openApiSearch(DOCUMENT, { auth: { bearer: "a-long-token" } });
const http = { headers: { "x-key": "a-long-key" }, allow: ALLOW, methods: ["GET", "POST"] } as const;

const TABLE: { readonly [what: string]: Row } = {
  list_files: { tool: named(files, "list_files"), reads: BOTH, reach: "inside" },
  read_file: { tool: named(files, "read_file"), reads: BOTH, reach: "inside" },
  search_files: { tool: named(files, "search_files"), reads: BOTH, reach: "inside" },
  file_stats: { tool: named(files, "file_stats"), reads: BOTH, reach: "inside" },
  write_file: { tool: named(files, "write_file"), reads: BOTH, reach: "inside" },
  edit_file: { tool: named(files, "edit_file"), reads: BOTH, reach: "inside" },
  run_command: { tool: shellTool({ cwd: folder }), reads: BOTH, reach: "outside" },
  "web_fetch of any host": { tool: webFetch(), args: { url: PAGE }, reads: "untrusted", reach: "lookup" },
  "web_fetch of an address that was read": {
    tool: webFetch(),
    args: { url: PAGE },
    seen: [PAGE],
    reads: "untrusted",
    reach: "inside",
  },
  "web_fetch of hosts that the author allows": {
    tool: webFetch({ allow: ALLOW }),
    args: { url: PAGE },
    reads: "untrusted",
    reach: "inside",
  },
  http_request: { tool: httpRequest(), args: { url: PAGE }, reads: "untrusted", reach: "lookup" },
  "http_request with headers of the model's": {
    tool: httpRequest(),
    args: { url: PAGE, headers: { accept: "a secret" } },
    seen: [PAGE],
    reads: "untrusted",
    reach: "lookup",
  },
  "http_request with credentials": { tool: httpRequest(http), args: { url: PAGE }, reads: BOTH, reach: "inside" },
  "http_request that writes": {
    tool: httpRequest(http),
    args: { url: PAGE, method: "POST" },
    reads: BOTH,
    reach: "outside",
  },
  web_search: { tool: searchTool({ search: () => [] }), reads: "untrusted", reach: "lookup" },
  "web_search inside": { tool: searchTool({ search: () => [], reach: "inside" }), reads: "untrusted", reach: "inside" },
  "an operation that reads": { tool: named(api, "list_pets"), reads: "untrusted", reach: "lookup" },
  "an operation that writes": { tool: named(api, "add_pet"), reads: "untrusted", reach: "outside" },
  "an operation with credentials": { tool: named(known, "list_pets"), reads: BOTH, reach: "lookup" },
  "an operation elsewhere, without them": { tool: named(known, "list_reviews"), reads: "untrusted", reach: "lookup" },
  search_tools: { tool: named(found, "search_tools"), reads: "trusted", reach: "inside" },
  "an operation that is found and reads": { tool: named(found, "list_pets"), reads: BOTH, reach: "lookup" },
  "an operation that is found and writes": { tool: named(found, "add_pet"), reads: BOTH, reach: "outside" },
  sql_query: { tool: named(sqliteTools({ file }), "sql_query"), reads: BOTH, reach: "inside" },
  sql_schema: { tool: named(sqliteTools({ file }), "sql_schema"), reads: BOTH, reach: "inside" },
  search_notes: { tool: named(notes, "search_notes"), reads: BOTH, reach: "inside" },
  write_note: { tool: named(notes, "write_note"), reads: "trusted", reach: "inside" },
  update_note: { tool: named(notes, "update_note"), reads: "trusted", reach: "inside" },
  delete_note: { tool: named(notes, "delete_note"), reads: "trusted", reach: "inside" },
  ask_user: { tool: askUser(), reads: "trusted", reach: "inside" },
  calculator: { tool: calculator(), reads: "trusted", reach: "inside" },
};

describe("what ready-made tools say about untrusted content", () => {
  test.each(Object.entries(TABLE))("%s", async (_what, { tool, args = {}, reads, reach, seen = [] }) => {
    expect({ reads: tool?.reads, reach: reachOf(tool, args, seen) }).toEqual({ reads, reach });
  });

  test.each([...timeTools(), ...todoList().tools])("$name reads nothing of strangers", async (tool) => {
    expect({ reads: tool.reads, reach: reachOf(tool, {}, []) }).toEqual({ reads: "trusted", reach: "inside" });
  });

  test("operations belong to the host that they are sent to", () => {
    expect(known.map(({ name, origin }) => [name, origin])).toEqual([
      ["list_pets", "https://api.example.com"],
      ["add_pet", "https://api.example.com"],
      ["list_reviews", "https://reviews.example.net"],
    ]);
  });
});

describe("tools of an MCP server", () => {
  const { odd } = useOddServer();

  async function trustOf(options: McpToolsOptions = {}): Promise<object> {
    await using server = await odd("hints", options);
    return Object.fromEntries(
      server.tools.map((tool) => [tool.name, [tool.reads, tool.reach, tool.untrustedDescription]]),
    );
  }

  test("reach outside unless hints say that they only read, and their descriptions are untrusted", async () => {
    expect(await trustOf()).toEqual({
      reads: [BOTH, "lookup", true],
      reads_and_destroys: [BOTH, "outside", true],
      closed_world: [BOTH, "outside", true],
      says_nothing: [BOTH, "outside", true],
    });
  });

  test("follow the author's options, and pinned descriptions are trusted", async () => {
    await using server = await odd("hints");
    const { pins } = server;
    expect(
      await trustOf({
        pins,
        reads: ({ name }) => (name === "reads" ? "private" : "trusted"),
        reach: ({ name }) => (name === "closed_world" ? "inside" : undefined),
      }),
    ).toEqual({
      reads: ["private", "lookup", false],
      reads_and_destroys: ["trusted", "outside", false],
      closed_world: ["trusted", "inside", false],
      says_nothing: ["trusted", "outside", false],
    });
    expect(await trustOf({ pins, toolChanges: "accept", include: ["reads"] })).toEqual({
      reads: [BOTH, "lookup", true],
    });
  });

  test("read nothing private where nobody says who asks", () => {
    const quiet = { startTimeoutMs: 1, logger: undefined, onToolsChanged() {} };
    const url = "https://tools.example.com/mcp";
    expect(new Connection({ url }, quiet).reads).toBe("untrusted");
    expect(new Connection({ url, headers: { "x-key": "k" } }, quiet).reads).toEqual(BOTH);
    expect(new Connection({ url, auth: "token" }, quiet).reads).toEqual(BOTH);
  });
});

/** As the loop finds it: what the tool says, or what its other settings let expect. */
function reachOf(tool: Tool | undefined, args: object, seen: readonly string[]): Reach | undefined {
  if (tool === undefined) return undefined;
  if (typeof tool.reach === "function") return tool.reach(args, { seen: (url) => seen.includes(url) });
  return tool.reach ?? (tool.effects === "once" || "needsApproval" in tool ? "outside" : "inside");
}
