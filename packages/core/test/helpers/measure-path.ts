import { createHook } from "node:async_hooks";
import { Session } from "node:inspector/promises";

/**
 * Program that counts what a run goes through, by V8's coverage and by async_hooks, and prints it as JSON. It runs in a process of
 * its own, on the sources as they are: a test runner wraps modules and makes promises of its own.
 */

/** What a stretch of a run went through. Calls count each time that an async function goes on after an `await`. */
export interface PathCount {
  /** Of functions in core's sources. */
  readonly calls: number;
  /** Made anywhere: those of the platform and of zod included. */
  readonly promises: number;
  /** Of core's sources, those with a function that was called. */
  readonly files: readonly string[];
}

/** What {@link PathCount} comes to for one way to read a run. */
export interface PathCounts {
  /** One more turn with one call. */
  readonly turn: PathCount;
  /** One more chunk of an answer. */
  readonly chunk: PathCount;
  /** A whole run with one call. */
  readonly run: PathCount;
  /** Async generators that such a run reads. */
  readonly generators: number;
}

type Counts = Omit<PathCount, "files"> & { readonly byFile: ReadonlyMap<string, number> };
type Answers = readonly (readonly Uint8Array[])[];

const SOURCES = new URL("../../src/", import.meta.url).href;
const [face] = process.argv.slice(2);
const session = new Session();
session.connect();
await session.post("Profiler.enable");
// Before anything of ours is loaded: V8 has not counted all calls of a function that was compiled earlier.
await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
const { Agent } = await import("@pollux/core");
const { chunks, countedService, look, turns } = await import("./counted-service.ts");

const oneCall = await count(turns(2));
const fiveCalls = await count(turns(6));
const oneChunk = await count([chunks([{ text: "x" }])]);
const manyChunks = await count([chunks(Array.from({ length: 101 }, (_, index) => ({ text: `${index} ` })))]);
const counts: PathCounts = {
  turn: difference(fiveCalls, oneCall, 4),
  chunk: difference(manyChunks, oneChunk, 100),
  run: { ...oneCall, files: [...oneCall.byFile.keys()] },
  generators: await countGenerators(turns(2)),
};
process.stdout.write(JSON.stringify(counts));
session.disconnect();

/** Prepares a run, whose model and agent are made outside of the count. */
function prepare(answers: Answers): () => Promise<void> {
  const agent = new Agent({ model: countedService(answers).model, tools: [look] });
  if (face === "run") return async () => void (await agent.run("Look at all pages."));
  return async () => {
    const stream = agent.stream("Look at all pages.");
    for await (const _ of stream);
    await stream.result();
  };
}

async function count(answers: Answers): Promise<Counts> {
  // What is made once in a process is in nobody's count.
  for (let i = 0; i < 2; i++) await prepare(answers)();
  let promises = 0;
  const hook = createHook({ init: (_id, type) => void (type === "PROMISE" && promises++) });
  const hooked = prepare(answers);
  hook.enable();
  await hooked();
  hook.disable();

  const covered = prepare(answers);
  await session.post("Profiler.takePreciseCoverage");
  await covered();
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const byFile = new Map<string, number>();
  for (const { url, functions } of result) {
    const calls = functions.reduce((sum, { ranges }) => sum + (ranges[0]?.count ?? 0), 0);
    if (calls > 0 && url.startsWith(SOURCES)) byFile.set(url.slice(SOURCES.length), calls);
  }
  return { calls: [...byFile.values()].reduce((sum, calls) => sum + calls, 0), promises, byFile };
}

function difference(more: Counts, less: Counts, times: number): PathCount {
  const files = [...more.byFile].filter(([file, calls]) => calls > (less.byFile.get(file) ?? 0)).map(([file]) => file);
  return { calls: (more.calls - less.calls) / times, promises: (more.promises - less.promises) / times, files };
}

async function countGenerators(answers: Answers): Promise<number> {
  const read = prepare(answers);
  const seen = new Set<unknown>();
  const one = (async function* (): AsyncGenerator {})();
  const prototype = Object.getPrototypeOf(Object.getPrototypeOf(one)) as AsyncGenerator;
  // The method is called with its own generator.
  // oxlint-disable-next-line typescript/unbound-method
  const { next } = prototype;
  prototype.next = function (...args) {
    seen.add(this);
    return next.apply(this, args);
  };
  await read();
  prototype.next = next;
  return seen.size;
}
