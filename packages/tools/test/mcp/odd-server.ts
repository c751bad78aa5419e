import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { mcpTools, type McpTools, type McpToolsOptions } from "../../src/mcp.ts";
import { children, pathOf } from "./support.ts";

/** The odd server, for the tests of one file. */
export interface OddServer {
  /** The folder for its traces; a new one for each test. */
  readonly folder: () => string;
  /** The program that runs it. */
  readonly node: string;
  readonly odd: (mode: string, options?: McpToolsOptions) => Promise<McpTools>;
  /** Its running processes, with their commands. */
  readonly servers: () => readonly string[];
  /** Ids of all its processes, in order. */
  readonly starts: () => readonly number[];
}

/** Prepares a folder for each test, and expects that no server outlives its test. */
export function useOddServer(): OddServer {
  let folder = "";
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "pollux-mcp-")));
  });
  // The odd server ends only on request.
  const servers = (): readonly string[] => children().filter((line) => line.includes("odd-server"));
  afterEach(async () => {
    await expect.poll(servers).toEqual([]);
    rmSync(folder, { recursive: true, force: true });
  });
  const node = process.execPath;
  return {
    folder: () => folder,
    node,
    odd: (mode, options = {}) => mcpTools({ command: node, args: [pathOf("odd-server.mjs"), mode, folder] }, options),
    servers,
    starts: () => readFileSync(join(folder, "starts"), "utf8").trim().split("\n").map(Number),
  };
}
