import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { McpServerError, mcpTools, type McpTools, type McpToolsOptions } from "../src/mcp.ts";
import { children, EVERYTHING, everythingOverHttp, FILESYSTEM, isAlive, pathOf, SILENT, use } from "./mcp/support.ts";

let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pollux-mcp-")));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  expect(children().filter((line) => /server-everything|server-filesystem|odd-server/.test(line))).toEqual([]);
});

const node = process.execPath;
const everything = { command: node, args: [EVERYTHING] };

function odd(mode: string, options: McpToolsOptions = {}): Promise<McpTools> {
  return mcpTools({ command: node, args: [pathOf("odd-server.mjs"), mode, folder] }, options);
}

/** Ids of the processes that the odd server was, in order. */
function starts(): number[] {
  return readFileSync(join(folder, "starts"), "utf8").trim().split("\n").map(Number);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return port;
}

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
    message: "b: required and missing",
  });
  expect(await use(tools, "get_sum", { a: "one", b: 2 })).toEqual({
    ok: false,
    kind: "failed",
    message: expect.stringMatching(/Invalid arguments for tool get-sum/),
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

  test("over streamable HTTP", async () => {
    const remote = await everythingOverHttp(await freePort());
    try {
      await using server = await mcpTools({ url: remote.url });
      await checkEverything(server);
    } finally {
      await remote.close();
    }
  });

  test("a server that was started again behind its address is met again", async () => {
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

  test("a misspelt name is an error that lists what there is", async () => {
    await expect(mcpTools(everything, { include: ["ecko"] })).rejects.toThrow(/has no "ecko"; it has echo, /);
  });

  test("effects and approval can be said by tool", async () => {
    await using server = await mcpTools(everything, {
      include: ["echo", "get-sum"],
      effects: ({ name }) => (name === "echo" ? "idempotent" : "once"),
      needsApproval: ({ name, annotations }, input) =>
        annotations.readOnlyHint === true && name === "get-sum" && (input as { a: number }).a > 1,
    });
    const call = { name: "get_sum", args: {} };
    expect(
      await Promise.all(
        server.tools.map(async (tool) => [
          tool.effects,
          await tool.needsApproval?.({ a: 1 }, call),
          await tool.needsApproval?.({ a: 2 }, call),
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

describe("a server that does not start", () => {
  test("is an error with its command and the end of its stderr, without the values of its environment", async () => {
    const started = mcpTools({
      command: node,
      args: [pathOf("odd-server.mjs"), "dies-at-start", folder, "--key=hidden"],
      env: { DATABASE_KEY: "a-very-secret-key" },
    });
    const error: unknown = await started.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(McpServerError);
    expect(error).toMatchObject({
      name: "McpServerError",
      server: `${node} ${pathOf("odd-server.mjs")}`,
      stderr: "cannot open the database with [redacted]",
      message: `the MCP server "${node} ${pathOf("odd-server.mjs")}" did not start: it ended with exit code 3\nIts stderr ends with:\ncannot open the database with [redacted]`,
    });
  });

  test("a command that does not exist", async () => {
    await expect(mcpTools({ command: "no-such-program" })).rejects.toThrow(
      /^the MCP server "no-such-program" did not start: .*ENOENT/,
    );
  });

  test("an address where nobody listens; the query stays out of the message", async () => {
    const url = `http://127.0.0.1:${await freePort()}/mcp`;
    const error: unknown = await mcpTools({ url: `${url}?key=hidden` }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(McpServerError);
    expect(String(error)).toContain(`the MCP server "${url}" did not start: `);
    expect(String(error)).not.toContain("hidden");
  });

  test("one that never answers ends with the time limit", async () => {
    await expect(odd("never-answers", { startTimeoutMs: 300 })).rejects.toThrow(/it did not answer within 300 ms$/);
    expect(starts().filter(isAlive)).toEqual([]);
  });

  test("an abort ends the start", async () => {
    const reason = new Error("enough");
    await expect(
      odd("never-answers", { signal: AbortSignal.timeout(10_000) && AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
  });
});

describe("a server that dies", () => {
  test("is started again at the next call; the call it died of is answered with that", async () => {
    await using server = await odd("");
    expect(await use(server.tools, "die")).toEqual({
      ok: false,
      kind: "failed",
      message: "the MCP server ended while it ran this call (exit code 5)",
    });
    expect(await use(server.tools, "hello")).toEqual({ ok: true, output: "hello of start 2" });
    expect(await use(server.tools, "die")).toMatchObject({ ok: false });
    expect(await use(server.tools, "hello")).toEqual({ ok: true, output: "hello of start 3" });
  });

  test("a call that only reads is made again", async () => {
    await using server = await odd("");
    expect(await use(server.tools, "die_once")).toEqual({ ok: true, output: "answered at start 2" });
  });

  test("one that dies again at once stays down, until it is asked for", async () => {
    await using server = await odd("");
    expect(await use(server.tools, "read_only_die")).toEqual({
      ok: false,
      kind: "failed",
      message: "the MCP server ended while it ran this call (exit code 5)",
    });
    expect(await use(server.tools, "hello")).toEqual({
      ok: false,
      kind: "failed",
      message: "the MCP server has ended again (exit code 5) and is not started any more: go on without its tools",
    });
    expect(starts()).toHaveLength(2);
    await server.refresh();
    expect(await use(server.tools, "hello")).toEqual({ ok: true, output: "hello of start 3" });
  });

  test("one that does not start again is answered as data", async () => {
    await using server = await odd("starts-once");
    await use(server.tools, "die");
    const gone = {
      ok: false,
      kind: "failed",
      message: "the MCP server has ended and could not be started again: go on without its tools",
    };
    expect(await use(server.tools, "hello")).toEqual(gone);
    expect(await use(server.tools, "hello")).toMatchObject({ ok: false, kind: "failed" });
    expect(starts()).toHaveLength(2);
  });

  test("calls beside each other share one new process", async () => {
    await using server = await odd("");
    await use(server.tools, "die");
    const outcomes = await Promise.all([1, 2, 3].map(() => use(server.tools, "hello")));
    expect(outcomes).toEqual([1, 2, 3].map(() => ({ ok: true, output: "hello of start 2" })));
  });
});

describe("a call", () => {
  test("an abort cancels it at the server", async () => {
    await using server = await odd("");
    const abort = new AbortController();
    const outcome = use(server.tools, "wait", {}, { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    expect(await outcome).toEqual({
      ok: false,
      kind: "cancelled",
      message: expect.stringMatching(
        /^cancelled: the run was ended; it is not known whether this call was carried out/,
      ),
    });
    await expect.poll(() => readFileSync(join(folder, "cancelled"), "utf8")).toBeTypeOf("string");
    expect(await use(server.tools, "hello")).toEqual({ ok: true, output: "hello of start 1" });
  });

  test("its time limit cancels it at the server", async () => {
    await using server = await odd("", { timeoutMs: 100 });
    expect(await use(server.tools, "wait")).toEqual({
      ok: false,
      kind: "timeout",
      message: expect.stringMatching(/^wait did not answer within 100 ms; it is not known whether/),
    });
    await expect.poll(() => readFileSync(join(folder, "cancelled"), "utf8")).toBeTypeOf("string");
  });

  test("progress arrives in order and before the result", async () => {
    await using server = await odd("");
    const seen: unknown[] = [];
    await use(server.tools, "report", {}, { progress: (value) => seen.push(value) });
    expect(seen).toEqual([1, 2, 3].map((progress) => ({ progress, total: 3, message: `step ${progress}` })));
  });

  test("after closing is answered as data", async () => {
    const server = await odd("");
    await server.close();
    expect(await use(server.tools, "hello")).toMatchObject({ ok: false, kind: "failed", message: /is closed$/ });
    expect(starts()).toHaveLength(1);
  });
});

describe("names", () => {
  test("are legal and unique, and lead back to the server's", async () => {
    await using server = await odd("names");
    const names = [...server.names];
    expect(names.map(([, original]) => original).slice(-6)).toEqual([
      "a-b",
      "a.b",
      "a_b",
      "über",
      "9",
      "x".repeat(100),
    ]);
    expect(names.map(([name]) => name).filter((name) => !/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(name))).toEqual([]);
    const nameOf = new Map(names.map(([name, original]) => [original, name]));
    expect(nameOf.get("a_b")).toBe("a_b");
    expect(nameOf.get("über")).toBe("_ber");
    expect(new Set(nameOf.values()).size).toBe(names.length);
    expect(await use(server.tools, nameOf.get("a-b") ?? "")).toEqual({ ok: true, output: "with a dash" });
    expect(await use(server.tools, nameOf.get("a.b") ?? "")).toEqual({ ok: true, output: "with a dot" });
  });
});

describe("results", () => {
  test("what the model cannot see is said, what is said twice is not", async () => {
    await using server = await odd("results");
    expect(await use(server.tools, "odd")).toEqual({
      ok: true,
      output: {
        structuredContent: { a: 2, b: [1] },
        content: [
          "[6 bytes of image/svg+xml, which you cannot see]",
          "[image/png that is damaged]",
          { kind: "@pollux/media", mimeType: "audio/wav", data: "AAAA" },
          {
            uri: "file:///a.pdf",
            mimeType: "application/pdf",
            content: { kind: "@pollux/media", mimeType: "application/pdf", data: "JVBERi0=" },
          },
        ],
      },
    });
    expect(await use(server.tools, "bare_error")).toEqual({
      ok: false,
      kind: "failed",
      message: "bare-error failed and did not say why",
    });
  });
});

describe("the list of tools", () => {
  test("follows the server", async () => {
    await using server = await odd("");
    const before = server.tools;
    await use(server.tools, "grow");
    await expect.poll(() => server.names.has("grown")).toBe(true);
    expect(before.some(({ name }) => name === "grown")).toBe(false);
    expect((await server.refresh()).map(({ name }) => name)).toContain("grown");
  });

  test("a schema that the service would refuse leaves its tool out, visibly", async () => {
    const warned: unknown[] = [];
    await using server = await odd("bad-schema", {
      logger: { ...SILENT, warn: (facts) => void warned.push(facts) },
    });
    expect(server.skipped).toEqual([{ name: "bad", reason: expect.stringContaining('tool "bad"') }]);
    expect(warned).toEqual([expect.objectContaining({ tool: "bad" })]);
    expect(await use(server.tools, "hello")).toMatchObject({ ok: true });
  });

  test("annotations say what a tool does to the world", async () => {
    await using server = await odd("");
    expect(Object.fromEntries(server.tools.map(({ name, effects }) => [name, effects]))).toMatchObject({
      die: "once",
      die_once: "none",
      grow: "idempotent",
    });
  });
});

describe("the process", () => {
  test("gets no more of the environment than it needs", async () => {
    process.env["POLLUX_TEST_SECRET"] = "a secret of this process";
    try {
      await using server = await mcpTools({
        command: node,
        args: [pathOf("odd-server.mjs"), "", folder],
        env: { GIVEN: "this" },
      });
      const outcome = await use(server.tools, "env");
      const env = JSON.parse((outcome as { output: string }).output) as Record<string, string>;
      expect(env).toMatchObject({ GIVEN: "this", PATH: process.env["PATH"] });
      expect(env).not.toHaveProperty("POLLUX_TEST_SECRET");
    } finally {
      delete process.env["POLLUX_TEST_SECRET"];
    }
  });

  test.for(["stubborn", "has-child"])("is gone after closing, with what it has started: %s", async (mode) => {
    const server = await odd(mode);
    const pids = starts();
    expect(pids.filter(isAlive)).toEqual(pids);
    await server.close();
    expect(pids).toHaveLength(mode === "has-child" ? 2 : 1);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
  });

  test("what it writes to stderr is logged line by line", async () => {
    const lines: unknown[] = [];
    await using _server = await mcpTools(everything, {
      logger: { ...SILENT, debug: (facts) => void lines.push(facts) },
    });
    await expect
      .poll(() => lines)
      .toContainEqual({
        mcpServer: `${node} ${EVERYTHING}`,
        stderr: "Starting default (STDIO) server...",
      });
  });
});
