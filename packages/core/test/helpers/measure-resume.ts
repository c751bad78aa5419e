import type { MemoryStore as Store, Session } from "@pollux/core";
import type { ScriptLine } from "@pollux/core/testing";
import { countCalls, startCoverage, stopCoverage } from "./coverage.ts";

/**
 * Program that counts the cost, in another process, of resuming a run that died after so many turns, and of sending the next message
 * instead, on the sources as they are; prints it as JSON.
 *   measure-resume.ts TURNS…
 */

/** The cost of both for one number of turns. */
export interface ResumeCounts {
  readonly turns: number;
  readonly resume: ResumeCount;
  readonly send: ResumeCount;
}

/** The cost of one of them. */
export interface ResumeCount {
  /** Calls of functions in core's sources, which include comparisons of JSON values. */
  readonly calls: number;
  /** How often the type of an entry was read: each pass over the log reads it at least once per entry. */
  readonly reads: number;
}

await startCoverage();
const { Agent, defineTool, MemoryStore } = await import("@pollux/core");
const { call, say, ScriptedModel } = await import("@pollux/core/testing");
const { z } = await import("zod");
type Entries = Parameters<Store["append"]>[2];

const look = defineTool({
  name: "look",
  description: "Looks at a page.",
  input: z.object({ page: z.number() }),
  reads: "trusted",
  run: ({ page }) => `There is nothing on page ${page}.`,
});
const limits = { turns: 10_000, toolCalls: 10_000 };
let reads = 0;

/** A store that counts reads of its entries' types. */
class CountedStore extends MemoryStore {
  override async load(id: string, from?: number): Promise<Entries> {
    return (await super.load(id, from)).map(withCountedType);
  }
}

const go = {
  resume: (store: CountedStore) => open(store, say("Done.")).resume({ limits }),
  send: (store: CountedStore) => open(store, say("Done.")).send("Go on.", { limits }),
};
// No count includes objects that are created once per process.
await measure(3);
const counts: ResumeCounts[] = [];
for (const turns of process.argv.slice(2)) counts.push(await measure(Number(turns)));
process.stdout.write(JSON.stringify(counts));
stopCoverage();

function open(store: Store, ...lines: readonly ScriptLine[]): Session {
  const model = new ScriptedModel(...lines);
  return new Agent({ model, tools: [look], limits: { repeats: Number.POSITIVE_INFINITY } }).session({
    id: "session",
    store,
  });
}

async function measure(turns: number): Promise<ResumeCounts> {
  const log = await logOfDeadRun(turns);
  return { turns, resume: await count(log, go.resume, turns + 1), send: await count(log, go.send, 1) };
}

/** The log in the store when the process dies in the request after so many turns. */
async function logOfDeadRun(turns: number): Promise<Entries> {
  const store = new MemoryStore();
  let log: Entries = [];
  const pages = Array.from({ length: turns }, (_, page) => call("look", { page }));
  const session = open(store, ...pages, async () => {
    log = await store.load("session");
    return say("Done.");
  });
  await session.send("Look at all pages.", { limits });
  return log;
}

async function count(
  log: Entries,
  next: (store: CountedStore) => Promise<{ readonly turns: number; readonly stopReason: string }>,
  expected: number,
): Promise<ResumeCount> {
  const store = new CountedStore();
  await store.append("session", 0, log);
  reads = 0;
  const done = { turns: 0, stopReason: "" };
  const { calls } = await countCalls(async () => {
    const { turns, stopReason } = await next(store);
    Object.assign(done, { turns, stopReason });
  });
  if (done.turns !== expected || done.stopReason !== "finished") throw new Error(`ended with ${JSON.stringify(done)}`);
  return { calls, reads };
}

function withCountedType(entry: Entries[number]): Entries[number] {
  const { type, ...others } = entry as { readonly type: string };
  return Object.defineProperty(others, "type", {
    enumerable: true,
    get: () => {
      reads++;
      return type;
    },
  });
}
