import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { CLI_INSTALL_MEGABYTES } from "../../scripts/package-size.ts";
import { npmInstall, tarballOf, ZOD } from "../support/npm-install.ts";

const run = promisify(execFile);
const packed = inject("packed");

/** With the program alone, and with the tools alone. */
let program: string;
let tools: string;

async function install(names: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "pollux-light-"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  await npmInstall(folder, [...names.map((name) => tarballOf(packed, name)), ZOD]);
  return folder;
}

beforeAll(async () => {
  program = await install(["@pollux/core", "@pollux/emulator", "@pollux/cli"]);
  tools = await install(["@pollux/core", "@pollux/tools"]);
});

afterAll(() => {
  for (const folder of [program, tools]) rmSync(folder, { recursive: true, force: true });
});

test(`the program takes at most ${CLI_INSTALL_MEGABYTES} MB`, () => {
  const modules = join(program, "node_modules");
  const bytes = readdirSync(modules, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  expect(bytes / 1e6).toBeLessThanOrEqual(CLI_INSTALL_MEGABYTES);
});

test.each([
  [["emulator", "--help"], 0, ""],
  [["chat", "--help"], 0, ""],
  [
    ["inspect", "chats"],
    1,
    "pollux inspect: this command needs a package that is not installed: npm install @pollux/cli @pollux/inspector; or, to run it once: npx -p @pollux/cli -p @pollux/inspector pollux inspect\n",
  ],
  [
    ["chat", "--tools", "calculator"],
    1,
    "pollux chat: --tools calculator needs packages that are not installed: npm install @pollux/cli @pollux/tools mathjs; or, to run it once: npx -p @pollux/cli -p @pollux/tools -p mathjs pollux chat --tools calculator\n",
  ],
])("the program alone, called with %j, says what else it needs", async (args, code, said) => {
  const pollux = join(program, "node_modules/@pollux/cli/dist/main.js");
  const ended = await run(process.execPath, [pollux, ...args], { cwd: program }).then(
    ({ stderr }) => ({ code: 0, stderr }),
    (error: { code: number; stderr: string }) => ({ code: error.code, stderr: error.stderr }),
  );
  expect([ended.code, ended.stderr.split("\n").findLast((line) => line !== "") ?? ""]).toEqual([code, said.trimEnd()]);
});

test("the program alone chats, without files", async () => {
  const pollux = join(program, "node_modules/@pollux/cli/dist/main.js");
  const { GEMINI_API_KEY: _, GOOGLE_API_KEY: _1, COMETAPI_KEY: _2, ...env } = process.env;
  const chat = run(process.execPath, [pollux, "chat"], { cwd: program, env });
  chat.child.stdin?.end("Hello.\n/exit\n");
  const { stdout } = await chat;
  expect(stdout).toContain("Without files: --tools files needs a package that is not installed");
  expect(stdout).toMatch(/tokens in 1 request\n$/);
});

test("the tools alone load, and say what else they need when they are used", async () => {
  const script = `
    const use = async (tool, args) => {
      const signal = AbortSignal.timeout(20_000);
      try { await tool.run(await tool.parse(args), { signal, progress() {} }); return "worked"; }
      catch (error) { return error.name + ": " + error.message; }
    };
    const said = (promise) => promise.then(() => "worked", (error) => error.name + ": " + error.message);
    const names = "ask-user calculator file-search files http mcp mcp-server notes openapi search shell skills sql time todo tool-search";
    for (const name of names.split(" ")) await import("@pollux/tools/" + name);
    const { calculator } = await import("@pollux/tools/calculator");
    const { currentTime } = await import("@pollux/tools/time");
    const { webFetch } = await import("@pollux/tools/http");
    const { mcpTools } = await import("@pollux/tools/mcp");
    const { serveMcp } = await import("@pollux/tools/mcp-server");
    console.log(JSON.stringify([
      await use(calculator(), { expression: "1 + 1" }),
      await use(currentTime(), {}),
      await use(webFetch(), { url: "https://example.com" }),
      await said(mcpTools({ command: "node" })),
      await said(serveMcp([], { transport: "stdio", name: "x", version: "1" })),
    ]));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: tools });
  expect(JSON.parse(stdout)).toEqual([
    "ToolError: calculator needs a package that is not installed: npm install mathjs",
    "ToolError: @pollux/tools/time needs a package that is not installed: npm install luxon",
    "ToolError: @pollux/tools/http needs a package that is not installed: npm install undici",
    "ConfigurationError: @pollux/tools/mcp needs a package that is not installed: npm install @modelcontextprotocol/client",
    "ConfigurationError: @pollux/tools/mcp-server needs a package that is not installed: npm install @modelcontextprotocol/server",
  ]);
});
