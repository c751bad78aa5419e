import { createHook } from "node:async_hooks";
import { Session } from "node:inspector/promises";

/**
 * Counts the calls and promises of a stretch of work, by V8's coverage and async_hooks, for programs with a process of their own: a test
 * runner wraps modules and creates promises of its own.
 */

/** Counts of a stretch of work. */
export interface Counts {
  /** Calls of functions in core's sources. An async function counts again each time it continues after an `await`. */
  readonly calls: number;
  /** Created anywhere, including by the platform and by zod. */
  readonly promises: number;
  /** Calls by file of core's sources; only files with a called function. */
  readonly byFile: ReadonlyMap<string, number>;
}

const SOURCES = new URL("../../src/", import.meta.url).href;
const session = new Session();

/** Begins to count. Call it before loading any of our modules: V8 misses calls of functions that were compiled earlier. */
export async function startCoverage(): Promise<void> {
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
}

/**
 * Does work four times: twice to warm up, once to count its promises, and once to count its calls.
 *
 * @param prepare - Creates everything that the work needs, outside of the count.
 */
export async function countWork(prepare: () => (() => Promise<void>) | Promise<() => Promise<void>>): Promise<Counts> {
  // No count includes objects that are created once per process.
  for (let i = 0; i < 2; i++) await (await prepare())();
  let promises = 0;
  const hook = createHook({ init: (_id, type) => void (type === "PROMISE" && promises++) });
  const hooked = await prepare();
  hook.enable();
  await hooked();
  hook.disable();
  return { promises, ...(await countCalls(await prepare())) };
}

/** Does work once, and counts its calls. */
export async function countCalls(work: () => Promise<void>): Promise<Omit<Counts, "promises">> {
  await session.post("Profiler.takePreciseCoverage");
  await work();
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const byFile = new Map<string, number>();
  for (const { url, functions } of result) {
    const calls = functions.reduce((sum, { ranges }) => sum + (ranges[0]?.count ?? 0), 0);
    if (calls > 0 && url.startsWith(SOURCES)) byFile.set(url.slice(SOURCES.length), calls);
  }
  return { calls: [...byFile.values()].reduce((sum, calls) => sum + calls, 0), byFile };
}

/** Ends the count, so that the process can end. */
export function stopCoverage(): void {
  session.disconnect();
}
