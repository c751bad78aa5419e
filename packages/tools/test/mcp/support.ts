import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Logger, Tool, ToolContext, ToolOutcome } from "@pollux/core";
import { callTool } from "@pollux/core/tool";

/** Path of a program in this folder. */
export function pathOf(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

export const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** Options to observe a call of a tool. */
export interface Watch {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((value: unknown) => void) | undefined;
  readonly logger?: Logger | undefined;
  readonly traceparent?: string | undefined;
}

/** Calls a tool as the loop does. */
export async function use(
  tools: readonly Tool[],
  name: string,
  args: Readonly<Record<string, unknown>> = {},
  { signal = new AbortController().signal, progress, logger = SILENT, traceparent }: Watch = {},
): Promise<ToolOutcome> {
  const call = { name, args };
  const context: ToolContext = {
    attempt: 1,
    context: undefined,
    signal,
    callId: "call:1.0",
    call,
    idempotencyKey: "key",
    runId: "run",
    agent: "agent",
    turn: 1,
    logger,
    traceparent,
    progress: async (value) => progress?.(value),
    attach: () => {},
  };
  return await callTool(new Map(tools.map((tool) => [tool.name, tool])), call, context);
}

/** Running processes that this one has started, with their commands. */
export function children(): string[] {
  const listed = execFileSync("ps", ["-A", "-o", "ppid=,pid=,args="], { encoding: "utf8" });
  return listed
    .split("\n")
    .filter((line) => Number(line.trim().split(/\s+/)[0]) === process.pid && !line.includes("ps -A"));
}

/** True while a process runs; false for a zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).startsWith("Z");
  } catch {
    return false;
  }
}
