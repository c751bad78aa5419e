import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { programFile } from "../../../test/support/programs.ts";
import { serveMcp } from "../src/mcp-server.ts";
import { servedTools } from "./mcp/served-tools.ts";
import { pathOf } from "./mcp/support.ts";

let folder: string;
let log: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pollux-mcp-server-"));
  log = join(folder, "log");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the inspector's command line", () => {
  const inspector = programFile("@modelcontextprotocol/inspector", "clients/launcher/build/index.js");
  const inspect = async (...args: string[]): Promise<unknown> => {
    const env = { ...process.env, HOME: folder, MCP_CATALOG_PATH: join(folder, "mcp.json") };
    const options = { timeout: 120_000, env };
    const { stdout } = await promisify(execFile)(process.execPath, [inspector, "--cli", ...args], options);
    return JSON.parse(stdout);
  };

  test.for(["stdio", "http"])("lists and calls over %s", async (transport) => {
    await using server = await serveMcp(servedTools(log), { transport: {}, name: "shown", version: "1.2.3" });
    const program = [process.execPath, "--conditions=pollux-source", pathOf("stdio-program.ts"), log];
    const target = transport === "http" ? [server.url ?? ""] : program;
    const common = [...target, "--transport", transport, "--method"];
    expect(await inspect(...common, "tools/list")).toMatchObject({
      tools: expect.arrayContaining([expect.objectContaining({ name: "add" })]),
    });
    const args = ["--tool-name", "add", "--tool-arg", "a=1", "--tool-arg", "b=2"];
    expect(await inspect(...common, "tools/call", ...args)).toMatchObject({ structuredContent: { sum: 3 } });
  });
});
