import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { freePort } from "../../../test/support/free-ports.ts";
import { mcpTools, type McpTools } from "../src/mcp.ts";
import { EVERYTHING, everythingOverHttp, FILESYSTEM } from "./mcp/programs.ts";
import { children, use } from "./mcp/support.ts";

let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pollux-mcp-")));
});

afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await expect.poll(() => children().filter((line) => /server-everything|server-filesystem/.test(line))).toEqual([]);
});

const node = process.execPath;
const everything = { command: node, args: [EVERYTHING] };

const PNG = { kind: "@pollux/media", mimeType: "image/png", data: expect.stringMatching(/^iVBOR/) };

/** What a client must get from server-everything, whatever lies between. */
async function checkEverything({ tools, names }: McpTools): Promise<void> {
  expect(names.get("get_sum")).toBe("get-sum");
  const sum = tools.find(({ name }) => name === "get_sum");
  expect({ effects: sum?.effects, declaration: sum?.declaration }).toEqual({
    effects: "none",
    declaration: {
      name: "get_sum",
      description: "Returns the sum of two numbers",
      parametersJsonSchema: {
        type: "object",
        properties: {
          a: { type: "number", description: "First number" },
          b: { type: "number", description: "Second number" },
        },
        required: ["a", "b"],
      },
    },
  });
  expect(await use(tools, "echo", { message: "hi" })).toEqual({ ok: true, output: "Echo: hi" });
  expect(await use(tools, "get_sum", { a: 1, b: 2 })).toEqual({ ok: true, output: "The sum of 1 and 2 is 3." });
  expect(await use(tools, "get_sum", { a: 1 })).toEqual({
    ok: false,
    kind: "bad-input",
    message: "invalid arguments: b: required but missing",
  });
  expect(await use(tools, "get_sum", { a: "one", b: 2 })).toEqual({
    ok: false,
    kind: "bad-input",
    message: "invalid arguments: a: must be number",
  });
  expect(await use(tools, "get_tiny_image")).toEqual({
    ok: true,
    output: ["Here's the image you requested:", PNG, "The image above is the MCP logo."],
  });
  expect(await use(tools, "get_annotated_message", { messageType: "error", includeImage: true })).toEqual({
    ok: true,
    output: ["Error: Operation failed", PNG],
  });
  expect(await use(tools, "get_structured_content", { location: "Chicago" })).toEqual({
    ok: true,
    output: { temperature: 36, conditions: "Light rain / drizzle", humidity: 82 },
  });
  expect(await use(tools, "get_resource_links", { count: 1 })).toEqual({
    ok: true,
    output: [
      expect.any(String),
      expect.objectContaining({ link: expect.stringMatching(/^demo:\/\/resource/), mimeType: "text/plain" }),
    ],
  });
  for (const [resourceType, text] of [
    ["Text", /plaintext resource/],
    ["Blob", /base64 blob/],
  ] as const)
    expect(await use(tools, "get_resource_reference", { resourceType, resourceId: 1 })).toEqual({
      ok: true,
      output: [
        expect.any(String),
        { uri: expect.stringMatching(/^demo:/), mimeType: "text/plain", text: expect.stringMatching(text) },
        expect.any(String),
      ],
    });
  const seen: unknown[] = [];
  expect(
    await use(
      tools,
      "trigger_long_running_operation",
      { duration: 0.2, steps: 2 },
      { progress: (it) => seen.push(it) },
    ),
  ).toEqual({ ok: true, output: expect.stringMatching(/completed/) });
  expect(seen).toEqual([
    { progress: 1, total: 2 },
    { progress: 2, total: 2 },
  ]);
}

describe("server-everything", () => {
  test("over stdio", async () => {
    await using server = await mcpTools(everything);
    await checkEverything(server);
    expect(server.skipped).toEqual([]);
  });

  test("refuses on its own what nothing has checked before", async () => {
    await using server = await mcpTools(everything, { validate: false });
    expect(await use(server.tools, "get_sum", { a: "one", b: 2 })).toEqual({
      ok: false,
      kind: "failed",
      message: expect.stringMatching(/Invalid arguments for tool get-sum/),
    });
  });

  test("over streamable HTTP", async () => {
    const remote = await everythingOverHttp(await freePort());
    try {
      await using server = await mcpTools({ url: remote.url });
      await checkEverything(server);
    } finally {
      await remote.close();
    }
  });

  test("a server that was restarted behind its address is reached again", async () => {
    const port = await freePort();
    let remote = await everythingOverHttp(port);
    try {
      await using server = await mcpTools({ url: remote.url });
      await remote.close();
      expect(await use(server.tools, "echo", { message: "a" })).toEqual({
        ok: false,
        kind: "failed",
        message: expect.stringMatching(/^echo failed: /),
      });
      remote = await everythingOverHttp(port);
      expect(await use(server.tools, "echo", { message: "b" })).toEqual({ ok: true, output: "Echo: b" });
    } finally {
      await remote.close();
    }
  });

  test("prefix, include and exclude", async () => {
    await using server = await mcpTools(everything, {
      prefix: "all",
      include: ["echo", "get-sum", "get-env"],
      exclude: ["get-env"],
    });
    expect([...server.names]).toEqual([
      ["all_echo", "echo"],
      ["all_get_sum", "get-sum"],
    ]);
    expect(await use(server.tools, "all_echo", { message: "hi" })).toEqual({ ok: true, output: "Echo: hi" });
  });

  test("a misspelled name is an error that lists what there is", async () => {
    await expect(mcpTools(everything, { include: ["ecko"] })).rejects.toThrow(/has no "ecko"; it has echo, /);
  });

  test("effects and approval can be set per tool", async () => {
    await using server = await mcpTools(everything, {
      include: ["echo", "get-sum"],
      effects: ({ name }) => (name === "echo" ? "idempotent" : "once"),
      needsApproval: ({ name, annotations }, input) =>
        annotations.readOnlyHint === true && name === "get-sum" && (input as { a: number }).a > 1,
    });
    const call = { name: "get_sum", args: {} };
    const run = { signal: new AbortController().signal, context: undefined };
    expect(
      await Promise.all(
        server.tools.map(async (tool) => [
          tool.effects,
          await tool.needsApproval?.({ a: 1 }, call, run),
          await tool.needsApproval?.({ a: 2 }, call, run),
        ]),
      ),
    ).toEqual([
      ["idempotent", false, false],
      ["once", false, true],
    ]);
  });
});

describe("server-filesystem", () => {
  test("lists, reads, and refuses what lies outside", async () => {
    writeFileSync(join(folder, "a.txt"), "what is in it");
    await using server = await mcpTools({ command: node, args: [FILESYSTEM, folder] });
    expect(await use(server.tools, "list_directory", { path: folder })).toEqual({
      ok: true,
      output: { content: "[FILE] a.txt" },
    });
    expect(await use(server.tools, "read_text_file", { path: join(folder, "a.txt") })).toEqual({
      ok: true,
      output: { content: "what is in it" },
    });
    expect(await use(server.tools, "read_text_file", { path: "/etc/passwd" })).toEqual({
      ok: false,
      kind: "failed",
      message: expect.stringMatching(/outside allowed directories/),
    });
  });
});
