import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ManyToRead } from "./read-many-process.ts";

/** Number of documents by outcome. */
export interface Endings {
  readonly string: number;
  readonly damaged: number;
  /** Stopped at the time limit, as the tool would do. */
  readonly late: number;
  /** Any other outcome: must stay zero. */
  readonly other: number;
}

/** Milliseconds per document, the same as the tool's limit for a page. */
const TIMEOUT_MS = 10_000;

/** Reads hostile documents in one process after another: starts a new process when a document takes too long. */
export async function readMany(kind: ManyToRead["kind"], seed: number, count: number): Promise<Endings> {
  const endings = { string: 0, damaged: 0, late: 0, other: 0 };
  let next = 0;
  while (next < count) {
    const child = spawn(
      process.execPath,
      ["--no-warnings", fileURLToPath(new URL("read-many-process.ts", import.meta.url))],
      { stdio: ["ignore", "ignore", "ignore", "ipc"] },
    );
    let isLate = false;
    let timer: NodeJS.Timeout | undefined;
    const wait = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        isLate = true;
        child.kill("SIGKILL");
      }, TIMEOUT_MS);
    };
    child.on("message", ({ index, result }: { index: number; result: string }) => {
      next = index + 1;
      if (result === "string" || result === "damaged") endings[result]++;
      else endings.other++;
      wait();
    });
    child.send({ kind, seed, count, from: next } satisfies ManyToRead);
    await once(child, "exit");
    clearTimeout(timer);
    if (next >= count) break;
    // The process ended on the next document: its time was up, or it crashed.
    next++;
    if (isLate) endings.late++;
    else endings.other++;
  }
  return endings;
}
