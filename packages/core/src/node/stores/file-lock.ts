import { randomUUID } from "node:crypto";
import { closeSync, openSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { sleep } from "../../internal/abort.ts";
import { asObject, type Json, tryOr } from "../../internal/json.ts";
import type { ProcessKnowledge } from "../../session/store/store.ts";

interface HeldLock {
  readonly file: string;
  /** Absent until its holder has been written. */
  readonly holder: LockHolder | undefined;
  /** When it was taken, in milliseconds since the epoch. */
  readonly takenAt: number;
}

/** Thrown when a lock cannot be taken in time. */
export class LockTimeoutError extends Error {
  constructor({ file, holder, takenAt }: HeldLock) {
    const who = holder === undefined ? "an unknown process" : `process ${holder.pid} on ${holder.host}`;
    const since = new Date(takenAt).toISOString();
    super(
      `it has been locked by ${who} since ${since}; try again. If that process no longer writes sessions, delete ${file}`,
    );
  }
}

/** A lock of another machine is considered abandoned after this time: whether its holder still runs cannot be known. */
const UNKNOWN_HOLDER_MS = 60_000;

/** A lock file still empty after this time belongs to a process that died while taking the lock. */
const NO_HOLDER_MS = 2000;

const MAX_PAUSE_MS = 25;

/**
 * Takes a lock that is a file: the process that creates it holds it. Works across processes, and on network file systems.
 *
 * @returns Releases the lock.
 * @throws {LockTimeoutError} When it does not become free within `waitMs`.
 */
export async function takeLock(file: string, waitMs: number, self: ProcessId = thisProcess()): Promise<() => void> {
  const me = { ...self, token: randomUUID() };
  const until = performance.now() + waitMs;
  for (let pause = 1; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
    if (tryTake(file, me)) return () => release(file, me);
    const held = readLock(file);
    if (held === undefined) continue;
    if (isStale(held) && takeOver(held, me)) return () => release(file, me);
    if (performance.now() >= until) throw new LockTimeoutError(held);
    await sleep(pause * (0.5 + Math.random()));
  }
}

/** Resolves when the holder of a lock has released it or died. @throws {LockTimeoutError} When that takes longer than `waitMs`. */
export async function waitForHolder(file: string, waitMs: number): Promise<void> {
  const first = readLock(file);
  const until = performance.now() + waitMs;
  for (let now = first; now !== undefined && !isStale(now); now = readLock(file)) {
    const { holder } = now;
    if (holder !== undefined && first?.holder !== undefined && holder.token !== first.holder.token) return;
    if (performance.now() >= until) throw new LockTimeoutError(now);
    await sleep(1 + Math.random());
  }
}

/** The current state of a lock; `undefined` when it is free. */
function readLock(file: string): HeldLock | undefined {
  try {
    return { file, holder: parseHolder(readFileSync(file, "utf8")), takenAt: statSync(file).mtimeMs };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    // Windows reports a file that is being removed this way.
    if (codeOf(error) === "EPERM" || codeOf(error) === "EBUSY") return { file, holder: undefined, takenAt: Date.now() };
    throw error;
  }
}

/** True when the process that took the lock can no longer be using it. */
function isStale({ holder, takenAt }: HeldLock): boolean {
  const age = Date.now() - takenAt;
  if (holder === undefined) return age > NO_HOLDER_MS;
  const state = findProcessState(holder);
  return state === "dead" || (state === "unknown" && age > UNKNOWN_HOLDER_MS);
}

/** Creates the file and writes its holder. A process killed between the two leaves an empty file. */
function tryTake(file: string, me: LockHolder): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(file, "wx");
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    // As above.
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
  // After a long pause above, the file may have looked abandoned and been taken over.
  return readLock(file)?.holder?.token === me.token;
}

/**
 * Replaces a stale lock with ours. Several processes may find it stale at once, and the slowest must not remove the lock of the
 * fastest. So each first takes a second lock, named for the token of the stale one, and then reads the stale one again.
 */
function takeOver({ file, holder }: HeldLock, me: LockHolder): boolean {
  const right = `${file}.${holder?.token ?? "nobody"}`;
  if (!tryTake(right, me)) {
    const before = readLock(right);
    // Its holder may have died as well.
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

interface LockHolder extends ProcessId {
  /** Unique to each time a lock is taken. */
  readonly token: string;
}

/** The holder in a lock file; `undefined` when it was not fully written. */
function parseHolder(text: string): LockHolder | undefined {
  const value = tryOr<unknown>(() => JSON.parse(text), undefined);
  const id = parseProcess(value);
  const { token } = asObject(value);
  return id === undefined || typeof token !== "string" ? undefined : { ...id, token };
}

/** A process, as others on the same machine can recognize it. */
export interface ProcessId {
  readonly pid: number;
  /** Host name and, on Linux, process namespace: the scope of the process id. */
  readonly host: string;
  /** Start time of the process in kernel ticks; absent where the system does not report it. */
  readonly began?: string | undefined;
}

/** Recognizes processes of this machine that have ended; knows nothing about others. */
export function knowProcesses(self: ProcessId = thisProcess()): ProcessKnowledge {
  return {
    // Without undefined members, it is JSON.
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
