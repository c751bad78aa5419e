import { createHook } from "node:async_hooks";
import { Session } from "node:inspector/promises";

/**
 * Counts what a stretch of work goes through, by V8's coverage and by async_hooks, for programs with a process of their own: a test runner
 * wraps modules and makes promises of its own.
 */

/** What a stretch of work went through. */
export interface Counts {
  /** Of functions in core's sources. Calls count each time that an async function goes on after an `await`. */
  readonly calls: number;
  /** Made anywhere: those of the platform and of zod included. */
  readonly promises: number;
  /** Calls by file of core's sources, those with a function that was called. */
  readonly byFile: ReadonlyMap<string, number>;
}

const SOURCES = new URL("../../src/", import.meta.url).href;
const session = new Session();

/** Begins to count. Comes before anything of ours is loaded: V8 has not counted all calls of a function that was compiled earlier. */
export async function startCoverage(): Promise<void> {
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
}

/**
 * Does work four times: to warm up, to count its promises, and to count its calls.
 *
 * @param prepare - Makes what the work needs outside of the count.
 */
export async function countWork(prepare: () => (() => Promise<void>) | Promise<() => Promise<void>>): Promise<Counts> {
  // What is made once in a process is in nobody's count.
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
