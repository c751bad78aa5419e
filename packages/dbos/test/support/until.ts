import { setTimeout as sleep } from "node:timers/promises";

/** Asks until there is an answer that is not `undefined`, for so many milliseconds at most. */
export async function until<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  withinMs: number = 15_000,
): Promise<T> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(20)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
  }
  throw new Error(`nothing came within ${withinMs} ms`);
}
