import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { CLI_INSTALL_MEGABYTES } from "../../scripts/package-size.ts";
import { serveRegistry } from "../../packages/create-pollux/test/support/local-registry.ts";
import { withoutKeys } from "../examples/run-example.ts";
import { npmInstall, tarballOf, ZOD } from "../support/npm-install.ts";
import { programFile, programVersion } from "../support/programs.ts";

const run = promisify(execFile);
const packed = inject("packed");

/** With the program alone, and with core and what builds on it alone. */
let program: string;
let library: string;

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pollux-light-"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  return folder;
}

beforeAll(async () => {
  await using registry = await serveRegistry(packed);
  program = emptyFolder();
  const npm = { npm_config_registry: registry.url, npm_config_cache: join(program, "cache") };
  await npmInstall(program, ["@pollux/cli"], { ...process.env, ...npm });
  library = emptyFolder();
  const names = ["@pollux/core", "@pollux/tools", "@pollux/cli"];
  await npmInstall(library, [...names.map((name) => tarballOf(packed, name)), ZOD]);
});

afterAll(() => {
  for (const folder of [program, library]) rmSync(folder, { recursive: true, force: true });
});

test(`the program is one package of at most ${CLI_INSTALL_MEGABYTES} MB, with the licenses of the bundled code`, () => {
  const modules = join(program, "node_modules");
  expect(readdirSync(join(modules, "@pollux"))).toEqual(["cli"]);
  expect(readdirSync(modules).filter((name) => !name.startsWith("."))).toEqual(["@pollux"]);
  const licenses = readFileSync(join(modules, "@pollux/cli/dist/THIRD-PARTY.txt"), "utf8");
  for (const name of ["marked", "pino", "typebox", "zod"])
    expect(licenses).toMatch(new RegExp(`^${name} [\\d.]+$`, "m"));
  const bytes = readdirSync(modules, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  expect(bytes / 1e6).toBeLessThanOrEqual(CLI_INSTALL_MEGABYTES);
});

/** A file of the program and what it imports at its head, at any depth. */
function loadedBy(file: string, found: Set<string> = new Set()): string {
  if (found.has(file)) return "";
  found.add(file);
  const code = readFileSync(file, "utf8");
  const imports = Array.from(code.matchAll(/^import .*"(\.[^"]+)";$/gm), ([, path = ""]) => join(dirname(file), path));
  return [code, ...imports.map((path) => loadedBy(path, found))].join("");
}

test("each command loads its own part of the program", () => {
  const dist = join(program, "node_modules/@pollux/cli/dist");
  const parts = ["main.js", "main/emulator.js", "main/chat.js"].map((file) => loadedBy(join(dist, file)));
  const has = ["function runPollux", "function createEmulator", "class Agent "].map((name) =>
    parts.map((part) => part.includes(name)),
  );
  expect(has).toEqual([
    [true, false, false],
    [false, true, false],
    [false, false, true],
  ]);
});

test.each([
  [["emulator", "--help"], 0, ""],
  [["chat", "--help"], 0, ""],
  [
    ["eval"],
    1,
    "pollux eval: this command needs a package that is not installed: npm install @pollux/cli @pollux/evals; or, to run it once: npx -p @pollux/cli -p @pollux/evals pollux eval\n",
  ],
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

test.each([
  ["24", process.execPath],
  [programVersion("node-20"), programFile("node-20", "bin/node")],
])(
  "on Node %s, the program alone chats without files, checks the session, maps lines and logs",
  async (version, node) => {
    const pollux = async (args: readonly string[], input: string): Promise<{ stdout: string; stderr: string }> => {
      const main = join(program, "node_modules/@pollux/cli/dist/main.js");
      const running = run(node, [main, ...args], { cwd: program, env: { ...withoutKeys(), POLLUX_LOG: "debug" } });
      running.child.stdin?.end(input);
      return await running;
    };
    // Node 20 has no SQLite.
    const saves = version === "24";
    const chat = await pollux(["chat", ...(saves ? ["--session", "one"] : [])], "Hello.\n/exit\n");
    expect(chat.stdout).toContain("Without files: --tools files needs a package that is not installed");
    expect(chat.stdout).toMatch(/tokens in 1 request\n$/);
    // By pino, which has the process in each line.
    expect(JSON.parse(chat.stderr.split("\n")[0] ?? "")).toMatchObject({ name: "pollux", pid: expect.any(Number) });
    if (saves) {
      const { stdout } = await pollux(["session", "check", "pollux-chats.sqlite"], "");
      expect(stdout).toMatch(/^session one: ok, \d+ entries\n$/);
    }
    writeFileSync(join(program, "answer.json"), JSON.stringify({ type: "string", pattern: "." }));
    const mapped = await pollux(["map", "-", "-p", "{text}?", "--schema", "answer.json"], '{"text":"good"}\n');
    expect(JSON.parse(mapped.stdout)).toEqual({ key: "1", status: "finished", output: expect.any(String) });
  },
);

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
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: library });
  expect(JSON.parse(stdout)).toEqual([
    "ToolError: calculator needs a package that is not installed: npm install mathjs",
    "ToolError: @pollux/tools/time needs a package that is not installed: npm install luxon",
    "ToolError: @pollux/tools/http needs a package that is not installed: npm install undici",
    "ConfigurationError: @pollux/tools/mcp needs a package that is not installed: npm install @modelcontextprotocol/client",
    "ConfigurationError: @pollux/tools/mcp-server needs a package that is not installed: npm install @modelcontextprotocol/server",
  ]);
});

test("the library of @pollux/cli alone prints, and asks for the emulator where it would answer", async () => {
  const script = `
    import { connect, RunPrinter } from "@pollux/cli";
    import { AgentError } from "@pollux/core";
    new RunPrinter().line("A line.");
    await connect().catch((error) => console.log(error instanceof AgentError, error.message));
    console.log((await connect({ GEMINI_API_KEY: "k" })).description);`;
  const child = run(process.execPath, ["--input-type=module", "--eval", script], { cwd: library, env: withoutKeys() });
  expect((await child).stdout.split("\n")).toEqual([
    "A line.",
    "true connect() without an API key needs a package that is not installed: npm install @pollux/emulator",
    "Answers come from generativelanguage.googleapis.com.",
    "",
  ]);
});
