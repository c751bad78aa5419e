import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ToolFailure } from "@pollux/core";
import type { SqliteRequest, SqliteResponse } from "./sqlite-request.ts";

/** How much longer the process lives than its parent waits, in milliseconds; a busy parent may be late. */
const GRACE_MS = 5_000;

/**
 * Runs a request in a new process, which is gone afterwards, even if the time limit or an abort interrupts SQLite.
 *
 * @throws {ToolFailure} If it takes too long or ends early. @throws The signal's reason, if it aborts.
 */
export async function askSqlite(
  request: Omit<SqliteRequest, "lifeMs">,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<SqliteResponse> {
  signal.throwIfAborted();
  const program = import.meta.url.endsWith(".ts") ? "./sqlite-child.ts" : "./sqlite-child.js";
  const { SystemRoot } = process.env;
  const child = spawn(
    process.execPath,
    ["--no-warnings", "--max-old-space-size=256", fileURLToPath(new URL(program, import.meta.url))],
    // It needs nothing from this program's environment.
    {
      env: SystemRoot === undefined ? {} : { SystemRoot },
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      serialization: "json",
    },
  );
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise<SqliteResponse>((resolve, reject) => {
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener("abort", onAbort, { once: true });
      timer = setTimeout(
        () =>
          reject(
            new ToolFailure(
              `the statement took longer than ${timeoutMs} ms and was stopped; narrow it with WHERE, bound a recursion with LIMIT, or request less at once`,
            ),
          ),
        timeoutMs,
      );
      child.once("message", (response: SqliteResponse) => resolve(response));
      child.once("error", (error) =>
        reject(new ToolFailure("SQLite could not be started; retrying will not help", { cause: error })),
      );
      child.once("exit", (code, killed) => {
        // It exits once its answer is sent; on Deno, the exit may be known before the answer has arrived.
        if (code !== 0)
          reject(new ToolFailure(`SQLite ended early (${killed ?? code}), probably out of memory; request less`));
      });
      child.send({ ...request, lifeMs: timeoutMs + GRACE_MS }, (error) => {
        if (error !== null) reject(new ToolFailure("SQLite could not be queried; try again", { cause: error }));
      });
    });
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
    child.kill("SIGKILL");
  }
}
