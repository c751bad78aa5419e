import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { asObject, type Json, tryOr } from "../../internal/json.ts";
import type { ProcessKnowledge } from "../../session/store/store.ts";

/** A process, as others on the same machine can recognize it. */
export interface ProcessId {
  readonly pid: number;
  /** Host name and, on Linux, process namespace: the scope of the process id. */
  readonly host: string;
  /** Start time of the process in kernel ticks; absent where the system does not tell. */
  readonly began?: string | undefined;
}

/** Recognizes processes of this machine that have ended; of others it knows nothing. */
export function knowProcesses(self: ProcessId = thisProcess()): ProcessKnowledge {
  return {
    // Without the members that are undefined it is JSON.
    self: JSON.parse(JSON.stringify(self)) as Json,
    isGone: (process) => {
      const id = parseProcess(process);
      return id !== undefined && findProcessState(id) === "dead";
    },
  };
}

/** This process. */
export function thisProcess(): ProcessId {
  return { pid: process.pid, host: thisHost(), began: beginOf(process.pid) };
}

/** A process from JSON; `undefined` when it is none. */
export function parseProcess(value: unknown): ProcessId | undefined {
  // Checked below.
  const { pid, host, began } = asObject(value) as Partial<ProcessId>;
  return typeof pid === "number" && typeof host === "string" ? { pid, host, began } : undefined;
}

/** Whether a process still runs: `unknown` for one on another machine or in another container. */
export function findProcessState({ pid, host, began }: ProcessId): "runs" | "dead" | "unknown" {
  if (host !== thisHost()) return "unknown";
  if (!exists(pid)) return "dead";
  // With another start time it is a later process with the same id.
  const beganNow = beginOf(pid);
  return began !== undefined && beganNow !== undefined && began !== beganNow ? "dead" : "runs";
}

/** The code of a file system error; empty for other errors. */
export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "";
}

function thisHost(): string {
  return tryOr(() => `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`, hostname());
}

function exists(pid: number): boolean {
  try {
    // Signal 0 only checks for existence.
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    return codeOf(error) !== "ESRCH";
  }
}

function beginOf(pid: number): string | undefined {
  const text = tryOr(() => readFileSync(`/proc/${pid}/stat`, "utf8"), "");
  // The program name, in parentheses, may contain spaces. Of the fields after it, the first is the state, the 20th the time.
  const fields = text.split(") ").at(-1)?.split(" ") ?? [];
  // A zombie has ended, but its parent has not waited for it.
  return fields[0] === "Z" ? "ended" : fields[19];
}
