import { Agent, endpoint, gemini } from "@pollux/core";
import { storeLike } from "../../../../packages/core/test/helpers/processes.ts";
import type { SharedStore } from "./rival-messages.ts";
import { openShared } from "./shared-store.ts";
import { lengthOf, note } from "./streamed-text.ts";

// A process that shows a text during streaming, until it is killed. Started by `streamed-kills.ts`.

/** Its task. */
export interface StreamOrder {
  readonly store: SharedStore;
  readonly url: string;
  readonly id: string;
  /** File of the notes. */
  readonly notes: string;
}

async function show({ store, url, id, notes }: StreamOrder): Promise<void> {
  const opened = openShared(store);
  const told = storeLike(opened.store, {
    setDraft: async (session, token, draft) => {
      await opened.store.setDraft(session, token, draft);
      note(notes, { kept: lengthOf(draft), atMs: performance.now() });
    },
  });
  const model = gemini("gemini-3.8-flash", { endpoint: endpoint({ baseUrl: url, apiKey: "emulator" }) });
  let shown = 0;
  for await (const event of new Agent({ model }).session({ id, store: told, leaseMs: 1000 }).stream("Tell me all.")) {
    if (event.type !== "text-delta") continue;
    shown += event.delta.length;
    note(notes, { shown, atMs: performance.now() });
  }
  await opened[Symbol.asyncDispose]();
}

process.on("message", (order: StreamOrder) => void show(order).then(() => process.send?.("shown")));
process.on("disconnect", () => process.exit());
process.send?.("ready");
