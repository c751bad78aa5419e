import { readdirSync, readFileSync } from "node:fs";

/**
 * Whether anybody of a process group runs, by Linux's list of processes. Those that have ended and are only waiting for
 * their parent to look do not count: in a container without an init they wait forever. `undefined` where there is no list.
 */
export function runsInGroup(group: number): boolean | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    return readdirSync("/proc").some((name) => /^\d+$/.test(name) && isMember(name, group));
  } catch {
    // No /proc here.
    return undefined;
  }
}

/** The name of the program stands in brackets, and may hold anything; then come state, parent and group. */
function isMember(pid: string, group: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state, , own] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(own) === group && state !== "Z" && state !== "X";
  } catch {
    // Gone meanwhile.
    return false;
  }
}
