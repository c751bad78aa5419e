import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Agent, type Session } from "@pollux/core";
import { SqliteStore } from "@pollux/core/node";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { programFile } from "../../../test/support/programs.ts";
import { mcpTools, type McpTools } from "../src/mcp.ts";
import { EVERYTHING, FILESYSTEM } from "./mcp/programs.ts";
import { isAlive, pathOf, use } from "./mcp/support.ts";
import { OTHER_PROGRAM, wholeServer } from "./mcp/whole-server.ts";

let folder: string;
beforeEach(() => void (folder = realpathSync(mkdtempSync(join(tmpdir(), "pollux-mcp-")))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const node = process.execPath;
const ARGS = ["--conditions=pollux-source", "--no-warnings", OTHER_PROGRAM];
const starts = (): number[] => readFileSync(join(folder, "starts"), "utf8").trim().split("\n").map(Number);

describe("a program", () => {
  test("ends when it has nothing left to do, with its servers, though it closed none", async () => {
    await using remote = await wholeServer();
    const { stdout } = await promisify(execFile)(node, [...ARGS, "leaves-open", folder, remote.url]);
    expect(stdout).toBe("done\n");
    await expect.poll(() => starts().filter(isAlive)).toEqual([]);
  });

  test.each([
    ["resume", (session: Session) => session.resume()],
    ["resumeStream", (session: Session) => session.resumeStream().result()],
  ])("that dies during a call leaves a session that goes on elsewhere: %s", async (_face, goOn) => {
    const child = spawn(node, [...ARGS, "dies", folder], { stdio: "inherit" });
    const [, signal] = (await once(child, "exit")) as [null, string];
    expect(signal).toBe("SIGKILL");

    await using server = await mcpTools(
      { command: node, args: [pathOf("odd-server.mjs"), "whole", folder] },
      { reach: "inside" },
    );
    const model = new ScriptedModel(say("Done."));
    const agent = new Agent({ model, tools: () => server.tools });
    const { toolCalls, stopReason } = await goOn(
      agent.session({ id: "s", store: new SqliteStore(`${folder}/store.db`) }),
    );
    expect({ stopReason, toolCalls }).toMatchObject({
      stopReason: "needs-outcome",
      // Neither is made again: the first has its answer, and whether the second took effect is for the application to say.
      toolCalls: [
        { name: "hello", status: "completed", output: "hello of start 1" },
        { name: "kill_parent", status: "pending" },
      ],
    });
    expect(starts()).toHaveLength(2);
  });
});

/** What the servers that others have published let an agent do, each in one run. */
describe("five servers from npm", () => {
  const open = (name: string, path: string, args: readonly string[] = [], env = {}): Promise<McpTools> =>
    mcpTools({ command: node, args: [programFile(name, path), ...args], env }, { startTimeoutMs: 120_000 });

  /** The outputs of one run that makes the calls in turn. */
  const run = async (server: McpTools, ...calls: readonly (readonly [string, object])[]): Promise<unknown[]> => {
    const model = new ScriptedModel(...calls.map(([name, args]) => call(name, { ...args })), say("Done."));
    const agent = new Agent({ model, tools: () => server.tools, approve: () => true });
    const { toolCalls } = await agent.run("Go.");
    return toolCalls.map((one) => (one.status === "completed" ? one.output : one));
  };

  test("everything: prompts, resources and a question to the person", async () => {
    await using server = await mcpTools(
      { command: node, args: [EVERYTHING] },
      { startTimeoutMs: 120_000, resources: true, onElicit: () => ({ name: "Ada", check: true }) },
    );
    expect((await server.prompts()).map(({ name }) => name)).toContain("args-prompt");
    expect(await server.prompt("args-prompt", { city: "Oslo" })).toEqual([
      { role: "user", parts: [{ text: "What's weather in Oslo?" }] },
    ]);
    const { resources, templates } = await server.resources();
    expect(resources.length).toBeGreaterThan(0);
    const uriTemplate = templates.find((one) => one.uriTemplate.includes("text"))?.uriTemplate ?? "";
    expect(await server.read(uriTemplate, { variables: { resourceId: "1" } })).toEqual([
      expect.stringMatching(/plaintext resource/),
    ]);
    const [asked, read] = await run(
      server,
      ["trigger_elicitation_request", {}],
      ["read_resource", { uri: resources[0]?.uri }],
    );
    expect(JSON.stringify(asked)).toContain("Ada");
    expect(read).toMatchObject({ uri: resources[0]?.uri, text: expect.any(String) });
  });

  test("filesystem: reads and writes a file", async () => {
    writeFileSync(join(folder, "a.txt"), "Oslo");
    await using server = await mcpTools({ command: node, args: [FILESYSTEM, folder] }, { startTimeoutMs: 120_000 });
    const path = join(folder, "b.txt");
    const outputs = await run(
      server,
      ["read_text_file", { path: join(folder, "a.txt") }],
      ["write_file", { path, content: "Bergen" }],
    );
    expect(outputs[0]).toEqual({ content: "Oslo" });
    expect(readFileSync(path, "utf8")).toBe("Bergen");
  });

  test("memory: remembers, and finds it after a restart", async () => {
    const env = { MEMORY_FILE_PATH: join(folder, "memory.jsonl") };
    const server = "@modelcontextprotocol/server-memory";
    const ada = { name: "Ada", entityType: "person", observations: ["likes tides"] };
    {
      await using first = await open(server, "dist/index.js", [], env);
      await run(first, ["create_entities", { entities: [ada] }]);
    }
    await using second = await open(server, "dist/index.js", [], env);
    expect(JSON.stringify(await run(second, ["search_nodes", { query: "tides" }]))).toContain("Ada");
  });

  test("sequential-thinking: counts thoughts", async () => {
    await using server = await open("@modelcontextprotocol/server-sequential-thinking", "dist/index.js");
    const thought = { thought: "First.", thoughtNumber: 1, totalThoughts: 2, nextThoughtNeeded: true };
    expect(JSON.stringify(await run(server, ["sequentialthinking", thought]))).toMatch(/thoughtNumber\W+1/);
  });

  test("playwright: offers its tools, and says what is missing", async () => {
    await using server = await open("@playwright/mcp", "cli.js", ["--headless", "--executable-path", "/no/browser"]);
    expect(server.skipped).toEqual([]);
    expect(server.tools.map(({ name }) => name)).toContain("browser_navigate");
    expect(await use(server.tools, "browser_navigate", { url: "data:text/html,hello" })).toMatchObject({
      ok: false,
      message: expect.stringContaining("/no/browser"),
    });
  });
});
