import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Who holds a lock, as its file says. */
export interface LockHolder {
  readonly pid: number;
  /** Name of the machine and, on Linux, its process namespace: process ids mean something only there. */
  readonly host: string;
  /** When the process began, in the kernel's own time; absent where the system does not tell. */
  readonly began?: string | undefined;
  /** Different each time a lock is taken. */
  readonly token: string;
}

/** This process, about to take a lock. */
export function newHolder(): LockHolder {
  return { pid: process.pid, host: thisHost(), began: beginOf(process.pid), token: randomUUID() };
}

/** What a lock file says; `undefined` for one whose writer has not come to the end of it. */
export function parseHolder(text: string): LockHolder | undefined {
  try {
    // Checked below.
    const { pid, host, began, token } = JSON.parse(text) as Partial<LockHolder>;
    if (typeof pid !== "number" || typeof host !== "string" || typeof token !== "string") return undefined;
    return { pid, host, began, token };
  } catch {
    return undefined;
  }
}

/** Whether the process that took a lock still runs: `unknown` for one on another machine, or of another container. */
export function stateOfHolder({ pid, host, began }: LockHolder): "runs" | "dead" | "unknown" {
  if (host !== thisHost()) return "unknown";
  if (!exists(pid)) return "dead";
  // A process that began at another time only has the same number.
  const beganNow = beginOf(pid);
  return began !== undefined && beganNow !== undefined && began !== beganNow ? "dead" : "runs";
}

function thisHost(): string {
  try {
    return `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

function exists(pid: number): boolean {
  try {
    // Signal 0 is not sent.
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: somebody else's.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function beginOf(pid: number): string | undefined {
  try {
    // The name of the program, in parentheses, may hold spaces; after it the state comes first and the time 20th.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    // A zombie has ended and waits for its parent to hear of it.
    return fields[0] === "Z" ? "ended" : fields[19];
  } catch {
    return undefined;
  }
}
