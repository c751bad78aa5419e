import { setTimeout as sleep } from "node:timers/promises";

/** Only ends a hang, in milliseconds. */
const PATIENCE_MS = 120_000;

/** Asks until there is an answer that is not `undefined`. */
export async function until<T>(ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(20)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
  }
  throw new Error(`nothing came within ${PATIENCE_MS} ms`);
}
