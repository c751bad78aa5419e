import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { mcpTools, type McpTools, type McpToolsOptions } from "../../src/mcp.ts";
import { children, pathOf } from "./support.ts";

/** The odd server, for the tests of one file. */
export interface OddServer {
  /** Where it leaves its traces; another one for each test. */
  readonly folder: () => string;
  /** The program that runs it. */
  readonly node: string;
  readonly odd: (mode: string, options?: McpToolsOptions) => Promise<McpTools>;
  /** Those that run. */
  readonly servers: () => readonly string[];
  /** Ids of the processes that it was, in order. */
  readonly starts: () => readonly number[];
}

/** Prepares a folder for each test, and expects that no server outlives its test. */
export function useOddServer(): OddServer {
  let folder = "";
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "pollux-mcp-")));
  });
  // They end only when they are told to.
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
