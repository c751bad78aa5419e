import { AgentError, Agent, defineTool } from "@pollux/core";
import { SessionConflictError, SessionStoreError } from "@pollux/core/errors";
import { call, hangs, join, say, ScriptedModel } from "@pollux/core/testing";
import { PostgresStore } from "../../src/index.ts";
import type { ProgramOrder, Said } from "./start-program.ts";

// What the system tests run in processes of their own.
const order = JSON.parse(process.argv[2] ?? "{}") as ProgramOrder;
const store = new PostgresStore(order.url, { schema: order.schema, pollMs: order.pollMs });

function tell(said: Said): void {
  process.send?.(said);
}

const work = defineTool({
  name: "work",
  description: "Works until it is stopped.",
  run: async (_input, { signal, callId }) => {
    tell({ is: "working", callId });
    await new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error));
    });
  },
});

/** Appends as one of several writers; reads again when another was first. */
async function append({ count = 1, goesOn = false }: ProgramOrder): Promise<void> {
  let [n, conflicts, failures] = [0, 0, 0];
  const state = { goesOn };
  if (goesOn) process.once("message", () => (state.goesOn = false));
  while (n < count || state.goesOn) {
    const before = await store.load(order.id).catch(() => undefined);
    if (before === undefined) {
      failures++;
      continue;
    }
    try {
      await store.append(order.id, before.length, [{ by: order.name, n }]);
      n++;
    } catch (error) {
      if (error instanceof SessionConflictError) conflicts++;
      else if (error instanceof SessionStoreError) failures++;
      else throw error;
    }
  }
  tell({ is: "done", appends: n, conflicts, failures });
}

async function run(): Promise<void> {
  if (order.do === "migrate") await store.migrate();
  if (order.do === "append") await append(order);
  if (order.do === "watch") {
    store.watch(order.id, () => tell({ is: "changed" }));
    tell({ is: "ready" });
    // Stays until it is killed, or whoever started it is gone.
    process.on("message", () => {});
    process.on("disconnect", () => process.exit());
    return;
  }
  if (order.do === "glance") {
    // Neither closes the store nor ends its watching: the process ends all the same.
    await store.append(order.id, 0, [1]);
    store.watch(order.id, () => {});
    await store.list();
    process.disconnect();
    return;
  }
  if (order.do === "work" || order.do === "talk") {
    const first = order.do === "work" ? call("work") : join(say("What was ", "shown."), hangs());
    const agent = new Agent({ model: new ScriptedModel(first), tools: [work] });
    await agent.session({ id: order.id, store, leaseMs: 1000 }).send("Go.");
  }
  await store.close();
  tell({ is: "ended" });
  process.disconnect();
}

run().catch((error: unknown) => {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  tell({ is: "failed", name, message, typed: error instanceof AgentError });
  process.exit(1);
});
