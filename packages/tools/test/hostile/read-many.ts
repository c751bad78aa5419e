import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ManyToRead } from "./read-many-process.ts";

/** How many documents ended in which way. */
export interface Endings {
  readonly string: number;
  readonly damaged: number;
  /** Ended by the limit on time, as the tool would do. */
  readonly late: number;
  /** Anything else: nothing may end so. */
  readonly other: number;
}

/** Milliseconds for one document, as the tool allows a page. */
const TIMEOUT_MS = 10_000;

/** Reads hostile documents in one process after another: a new one when a document takes too long. */
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
    // It ended on the next document: its time was up, or it crashed.
    next++;
    if (isLate) endings.late++;
    else endings.other++;
  }
  return endings;
}
