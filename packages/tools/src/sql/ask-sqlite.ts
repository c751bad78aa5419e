import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ToolError } from "@pollux/core";
import { leaveAtEnd, ProcessQueue } from "../processes/process-queue.ts";
import { type SqliteLimits, type SqliteRequest, type SqliteResponse, SMALLER, TOO_LARGE } from "./sqlite-request.ts";

/** How much longer the process lives than its parent waits, in milliseconds; a busy parent may be late. */
const GRACE_MS = 5_000;

/** Address space that Node reserves without using it, at most, in bytes. */
const RESERVED_BYTES = 1_600_000_000;

/** Shared by all tools of the program, whose memory the processes share. */
const queue = new ProcessQueue();

/** Limits of a request. */
export interface AskLimits {
  /** Milliseconds to wait for a turn, and again for the request itself. */
  readonly timeoutMs: number;
  readonly maxMemoryBytes: number;
  /** Most requests that may run at once in this program, this one included. */
  readonly maxConcurrent: number;
}

/**
 * Runs a request in a new process, which ends with the request, even if a limit or an abort interrupts SQLite. Waits until
 * fewer than `maxConcurrent` are running.
 *
 * @throws {ToolError} If it waits or takes too long, takes too much memory, or ends early. @throws The signal's reason, if it aborts.
 */
export async function askSqlite(
  request: SqliteRequest,
  { timeoutMs, maxMemoryBytes, maxConcurrent }: AskLimits,
  signal: AbortSignal,
): Promise<SqliteResponse> {
  const leave = await queue.enter({
    max: maxConcurrent,
    signal,
    maxWaitMs: timeoutMs,
    tooLong: () =>
      new ToolError(
        `other statements are running, and this one waited ${timeoutMs} ms for its turn; run fewer at once, or try again later`,
      ),
  });
  let child: ChildProcess;
  try {
    // A turn may come in the same step as an abort.
    signal.throwIfAborted();
    child = startChild({ lifeMs: timeoutMs + GRACE_MS, maxMemoryBytes });
  } catch (error) {
    leave();
    signal.throwIfAborted();
    throw new ToolError("SQLite could not be started; try again later", { cause: error });
  }
  leaveAtEnd(child, leave);
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise<SqliteResponse>((resolve, reject) => {
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener("abort", onAbort, { once: true });
      timer = setTimeout(
        () =>
          reject(
            new ToolError(
              `the statement took longer than ${timeoutMs} ms and was stopped; narrow it with WHERE, bound a recursion with LIMIT, or request less at once`,
            ),
          ),
        timeoutMs,
      );
      child.once("message", (response: SqliteResponse) => resolve(response));
      child.once("error", (error) =>
        reject(new ToolError("SQLite could not be started; retrying will not help", { cause: error })),
      );
      child.once("exit", (code, killed) => {
        // The process exits once its response is sent; on Deno, the exit may be known before the response has arrived.
        if (code === 0) return;
        reject(
          new ToolError(
            killed === TOO_LARGE
              ? `the statement needed more than ${maxMemoryBytes} bytes of memory and was stopped; ${SMALLER}`
              : `SQLite ended early (${killed ?? code}), probably out of memory; ${SMALLER}`,
          ),
        );
      });
      child.send(request, (error) => {
        if (error !== null) reject(new ToolError("SQLite could not be queried; try again", { cause: error }));
      });
    });
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
    child.kill("SIGKILL");
  }
}

function startChild(limits: SqliteLimits): ChildProcess {
  const program = import.meta.url.endsWith(".ts") ? "./sqlite-child.ts" : "./sqlite-child.js";
  const args = [
    "--no-warnings",
    "--max-old-space-size=256",
    fileURLToPath(new URL(program, import.meta.url)),
    JSON.stringify(limits),
  ];
  const { SystemRoot } = process.env;
  const options = {
    // The process needs nothing from this program's environment.
    env: SystemRoot === undefined ? {} : { SystemRoot },
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    serialization: "json",
  } satisfies SpawnOptions;
  if (!hasDataLimit()) return spawn(process.execPath, args, options);
  // Linux's own limit also applies while the process's watchdog is not scheduled, and to memory that is swapped out.
  const kilobytes = Math.ceil((limits.maxMemoryBytes + RESERVED_BYTES) / 1024);
  const script = `ulimit -d ${kilobytes} 2>/dev/null; exec "$0" "$@"`;
  return spawn("/bin/sh", ["-c", script, process.execPath, ...args], options);
}

/** Deno and Bun start their own programs in a special way. */
function hasDataLimit(): boolean {
  const { deno, bun } = process.versions;
  return process.platform === "linux" && deno === undefined && bun === undefined && existsSync("/bin/sh");
}
