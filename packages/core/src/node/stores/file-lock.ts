import { randomUUID } from "node:crypto";
import { closeSync, openSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { sleep } from "../../internal/abort.ts";

/** A lock somebody else holds. */
export interface HeldLock {
  readonly file: string;
  /** Absent while the file is being written. */
  readonly holder: LockHolder | undefined;
  /** When it was taken, in milliseconds since the epoch. */
  readonly takenAt: number;
}

/** Thrown when a lock was not to be had in time. */
export class LockTimeoutError extends Error {
  readonly held: HeldLock;

  constructor(held: HeldLock) {
    super(`${held.file} is held`);
    this.held = held;
  }
}

/** A lock of another machine is given up after this time: whether its holder runs cannot be known. */
const UNKNOWN_HOLDER_MS = 60_000;

/** A lock file that says nothing is of a process that died while it took the lock. */
const NO_HOLDER_MS = 2000;

const MAX_PAUSE_MS = 25;

/**
 * Takes a lock that is a file: whoever creates it holds it. Works between processes, also over a network file system.
 *
 * @param options - `waitMs`: how long to wait for others.
 * @returns Releases it.
 * @throws {LockTimeoutError} When others held it all the time.
 */
export async function takeLock(file: string, options: { readonly waitMs: number }): Promise<() => void> {
  const me = newHolder();
  const until = performance.now() + options.waitMs;
  for (let pause = 1; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
    if (tryTake(file, me)) return () => release(file, me);
    const held = readLock(file);
    if (held === undefined) continue;
    if (isStale(held) && takeOver(held, me)) return () => release(file, me);
    if (performance.now() >= until) throw new LockTimeoutError(held);
    await sleep(pause * (0.5 + Math.random()));
  }
}

/**
 * Resolves when whoever holds a lock now has given it back, or is dead.
 *
 * @throws {LockTimeoutError} When that takes longer.
 */
export async function waitForHolder(file: string, options: { readonly waitMs: number }): Promise<void> {
  const first = readLock(file);
  const until = performance.now() + options.waitMs;
  for (let now = first; now !== undefined && !isStale(now); now = readLock(file)) {
    const { holder } = now;
    if (holder !== undefined && first?.holder !== undefined && holder.token !== first.holder.token) return;
    if (performance.now() >= until) throw new LockTimeoutError(now);
    await sleep(1 + Math.random());
  }
}

/** Who holds a lock now; `undefined` when nobody does. */
export function readLock(file: string): HeldLock | undefined {
  try {
    return { file, holder: parseHolder(readFileSync(file, "utf8")), takenAt: statSync(file).mtimeMs };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    // On Windows, a file that is just being removed.
    if (codeOf(error) === "EPERM" || codeOf(error) === "EBUSY") return { file, holder: undefined, takenAt: Date.now() };
    throw error;
  }
}

/** True when the process that took it cannot be at work any more. */
export function isStale({ holder, takenAt }: HeldLock): boolean {
  const age = Date.now() - takenAt;
  if (holder === undefined) return age > NO_HOLDER_MS;
  const state = holderState(holder);
  return state === "dead" || (state === "unknown" && age > UNKNOWN_HOLDER_MS);
}

/** Creates the file and writes who holds it, with nothing between: a process killed there leaves a file that says nothing. */
function tryTake(file: string, me: LockHolder): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(file, "wx");
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    // On Windows, of a file that is just being removed.
    if (["EPERM", "EBUSY"].includes(codeOf(error)) && readLock(file) !== undefined) return false;
    throw error;
  }
  try {
    writeSync(descriptor, JSON.stringify(me));
  } catch (error) {
    closeSync(descriptor);
    rmSync(file, { force: true });
    throw error;
  }
  closeSync(descriptor);
  // Who slept here for long may have lost it as one that said nothing.
  return readLock(file)?.holder?.token === me.token;
}

/**
 * Puts our lock in the place of a stale one. Several processes may see it stale at once, and the slowest must not remove the
 * lock of the fastest: only who holds the right to this very lock (a file named for its token) may touch it, and looks again
 * before.
 */
function takeOver({ file, holder }: HeldLock, me: LockHolder): boolean {
  const right = `${file}.${holder?.token ?? "nobody"}`;
  if (!tryTake(right, me)) {
    const before = readLock(right);
    // Its taker died, too.
    if (before === undefined || !isStale(before) || !takeOver(before, me)) return false;
  }
  try {
    const now = readLock(file);
    if (now === undefined || now.holder?.token !== holder?.token || !isStale(now)) return false;
    const mine = `${file}.${me.token}`;
    if (!tryTake(mine, me)) return false;
    renameSync(mine, file);
    return true;
  } finally {
    release(right, me);
  }
}

function release(file: string, me: LockHolder): void {
  if (readLock(file)?.holder?.token === me.token) rmSync(file, { force: true });
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "";
}

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
export function holderState({ pid, host, began }: LockHolder): "runs" | "dead" | "unknown" {
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
