import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { programFile, programVersion } from "../../support/programs.ts";

const run = promisify(execFile);

/** A runtime with a command line on a machine. */
export interface NodeLike {
  readonly title: string;
  /** Runs a program that may only reach servers and read the environment, if the runtime has permissions. */
  readonly confined: readonly string[];
  /** Runs a program that may do anything. */
  readonly free: readonly string[];
}

// The programs themselves, since their launchers don't forward signals.
const bun = programFile("bun", "bin/bun.exe");
const deno = [programFile("deno", "deno"), "run", "--no-lock"];

/** The oldest supported Node. */
export const NODE_20: string = programFile("node-20", "bin/node");

/** The repository's own Node. */
export const NODE_24: string = fileURLToPath(new URL("../../../node_modules/node/bin/node", import.meta.url));

const node = (title: string, file: string): NodeLike => ({ title, confined: [file], free: [file] });

export const NODE_LIKES: readonly NodeLike[] = [
  node(`Node ${programVersion("node-20")}`, NODE_20),
  node("Node 22", programFile("node-22", "bin/node")),
  node("Node 24", NODE_24),
  node("the newest Node", programFile("node-newest", "bin/node")),
  node("Bun", bun),
  { title: "Deno", confined: [...deno, "--allow-net", "--allow-env"], free: [...deno, "--allow-all"] },
];

/** Runs a command to its end. @returns Its report, from lines on stderr. */
export async function runCommand(
  [command = "", ...flags]: readonly string[],
  args: readonly string[],
  more: NodeJS.ProcessEnv = {},
): Promise<{ readonly report: unknown; readonly stderr: readonly string[] }> {
  const { NODE_OPTIONS: _options, NODE_COMPILE_CACHE: _cache, POLLUX_LOG: _log, ...env } = process.env;
  const { stdout, stderr } = await run(command, [...flags, ...args], {
    env: { ...env, DENO_NO_UPDATE_CHECK: "1", NODE_NO_WARNINGS: "1", ...more },
    maxBuffer: 16 * 1024 * 1024,
  });
  return { report: JSON.parse(stdout), stderr: stderr.split("\n").filter((line) => line !== "") };
}
