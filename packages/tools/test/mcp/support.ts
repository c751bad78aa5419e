import { execFileSync, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { callTool, type Tool, type ToolContext, type ToolOutcome } from "@pollux/core";

/** Path of a file of a package beside these tests, or of a program in this folder. */
export function pathOf(path: string): string {
  const base = path.startsWith("@") ? "../../node_modules/" : "./";
  return fileURLToPath(new URL(base + path, import.meta.url));
}

export const EVERYTHING: string = pathOf("@modelcontextprotocol/server-everything/dist/index.js");
export const FILESYSTEM: string = pathOf("@modelcontextprotocol/server-filesystem/dist/index.js");

export const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** What a call of a tool may be watched with. */
export interface Watch {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((value: unknown) => void) | undefined;
}

/** Calls a tool as the loop does. */
export async function use(
  tools: readonly Tool[],
  name: string,
  args: Readonly<Record<string, unknown>> = {},
  { signal = new AbortController().signal, progress }: Watch = {},
): Promise<ToolOutcome> {
  const call = { name, args };
  const context: ToolContext = {
    signal,
    callId: "call:1.0",
    call,
    idempotencyKey: "key",
    runId: "run",
    turn: 1,
    logger: SILENT,
    progress: async (value) => progress?.(value),
    attach: () => {},
  };
  return await callTool(new Map(tools.map((tool) => [tool.name, tool])), call, context);
}

/** Processes that this one has started and that still run, with their commands. */
export function children(): string[] {
  const listed = execFileSync("ps", ["-A", "-o", "ppid=,pid=,args="], { encoding: "utf8" });
  return listed
    .split("\n")
    .filter((line) => Number(line.trim().split(/\s+/)[0]) === process.pid && !line.includes("ps -A"));
}

/** True while a process runs; one that has ended and that nobody has fetched does not. */
export function isAlive(pid: number): boolean {
  try {
    return !execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).startsWith("Z");
  } catch {
    return false;
  }
}

/** Starts the HTTP mode of server-everything on a free port. */
export async function everythingOverHttp(port: number): Promise<{ readonly url: string; close(): Promise<void> }> {
  const child = spawn(process.execPath, [EVERYTHING, "streamableHttp"], {
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      if (String(chunk).includes("listening")) resolve();
    });
    child.once("exit", (code) => reject(new Error(`server-everything ended with ${code}`)));
  });
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close: async () => {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
