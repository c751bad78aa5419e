import { setTimeout as sleep } from "node:timers/promises";
import { Agent, defineTool, endpoint, gemini, MemoryStore, type Session, Traffic } from "@pollux/core";

// Many parallel runs in one process, most of which wait for a slot, and many sessions that don't wait. Started with
// --expose-gc.

/** Its task. */
export interface ManyOrder {
  readonly url: string;
  readonly runs: number;
  readonly sessions: number;
  readonly maxConcurrent: number;
}

/** Its messages: when all runs wait, so that the service may start to answer, and at the end. */
export type ManyReport =
  | { readonly type: "waiting"; readonly active: number; readonly queued: number }
  | {
      readonly type: "done";
      readonly texts: Readonly<Record<string, number>>;
      /** CPU time of the process, in milliseconds. */
      readonly cpuMs: number;
      /** Bytes of heap and buffers per item, after garbage collection: a waiting run; a session after its run; its log. */
      readonly bytes: { readonly run: number; readonly session: number; readonly stored: number };
    };

const step = defineTool({
  name: "step",
  description: "Does a step.",
  input: { type: "object", properties: { done: { type: "integer" } } },
  run: () => "done",
});

async function collected(): Promise<number> {
  for (let times = 0; times < 3; times++) {
    await sleep(20);
    globalThis.gc?.();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function many({ url, runs, sessions, maxConcurrent }: ManyOrder): Promise<void> {
  const traffic = new Traffic({ maxConcurrent });
  const model = gemini("gemini-3.8-flash", { endpoint: endpoint({ baseUrl: url, apiKey: "many" }), traffic });
  const agent = new Agent({ model, tools: [step] });
  const texts: Record<string, number> = {};

  const before = await collected();
  const all = Array.from({ length: runs }, async (_, at) => {
    const { text } = await agent.run(`run:r${at}`);
    texts[text] = (texts[text] ?? 0) + 1;
  });
  let [state] = traffic.state();
  for (; (state?.active ?? 0) + (state?.queued ?? 0) < runs; [state] = traffic.state()) await sleep(1);
  const waiting = await collected();
  process.send?.({ type: "waiting", active: state?.active ?? 0, queued: state?.queued ?? 0 } satisfies ManyReport);
  await Promise.all(all);
  all.length = 0;
  const { user, system } = process.cpuUsage();

  const store = new MemoryStore();
  const empty = await collected();
  const held: Session[] = Array.from({ length: sessions }, (_, at) => agent.session({ id: `s${at}`, store }));
  await Promise.all(held.map((session) => session.send("Hello.")));
  const idle = await collected();
  held.length = 0;
  const stored = await collected();
  process.send?.({
    type: "done",
    texts,
    cpuMs: Math.round((user + system) / 1000),
    bytes: {
      run: Math.round((waiting - before) / runs),
      session: Math.round((idle - empty) / sessions),
      stored: Math.round((stored - empty) / sessions),
    },
  } satisfies ManyReport);
  // The last measurement was the store.
  await store.list({ limit: 1 });
}

process.on("message", (order: ManyOrder) => void many(order));
process.on("disconnect", () => process.exit());
