import { readdirSync, readFileSync } from "node:fs";

/**
 * Whether any process of a group is running, according to Linux's process list. Zombies don't count: in a container without
 * an init process, they wait forever to be reaped. `undefined` if there is no list.
 */
export function runsInGroup(group: number): boolean | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    return readdirSync("/proc").some((name) => /^\d+$/.test(name) && isMember(name, group));
  } catch {
    // There is no /proc.
    return undefined;
  }
}

/** The program name is in parentheses and may contain anything; then come state, parent and group. */
function isMember(pid: string, group: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state, , own] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(own) === group && state !== "Z" && state !== "X";
  } catch {
    // Gone in the meantime.
    return false;
  }
}
