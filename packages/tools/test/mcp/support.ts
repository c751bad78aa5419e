import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
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

/** Running processes that this one has started: the id of the parent, their own, and their command. */
export function children(): string[] {
  const listed = existsSync("/proc/self/stat") ? listProcesses() : askPs();
  return listed.filter((line) => Number(line.trim().split(/\s+/)[0]) === process.pid && !line.includes("ps -A"));
}

/** Reads what `ps` reads, without a program for each look: tests look until a process has ended. */
function listProcesses(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // The name before the last bracket may contain any characters.
        const [, parent] = /^.*\) \S+ (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
        return [`${parent} ${pid} ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")}`];
      } catch {
        // It has ended in the meantime.
        return [];
      }
    });
}

function askPs(): string[] {
  return execFileSync("ps", ["-A", "-o", "ppid=,pid=,args="], { encoding: "utf8" }).split("\n");
}

/** True while a process runs; false for a zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).startsWith("Z");
  } catch {
    return false;
  }
}
