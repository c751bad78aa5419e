import { type Counts, countWork, startCoverage, stopCoverage } from "./coverage.ts";

/** Program that counts the calls, promises and files of a run, on the sources as they are, and prints them as JSON. */

/** Counts of a stretch of a run. */
export interface PathCount extends Omit<Counts, "byFile"> {
  readonly files: readonly string[];
}

/** Counts for one way to read a run. */
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

type Answers = readonly (readonly Uint8Array[])[];

const [face] = process.argv.slice(2);
await startCoverage();
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
stopCoverage();

/** Prepares a run. Creates its model and agent outside of the count. */
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
  return await countWork(() => prepare(answers));
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
