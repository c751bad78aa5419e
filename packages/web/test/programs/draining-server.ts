// A chat server that drains on SIGTERM: `draining-server.ts STORE EFFECTS`, the files of a SqliteStore and of what its tool did. Prints its
// address as a line of JSON; a line with how many runs are going when that changes; and what draining came to.
//
// For each message it calls a slow tool that must not run twice, and then says so in ten words. Nobody can tell that its process has
// died, and leases last for an hour: whoever had to wait for one would never get its answer.
import { appendFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, defineTool, type Model } from "@pollux/core";
import type { Observer } from "@pollux/core/observers";
import { SqliteStore } from "@pollux/core/node";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { chatHandler } from "@pollux/web";
import { aiSdk } from "@pollux/web/ai-sdk";
import { drainOnSignal, toNodeHandler } from "@pollux/web/node";
import { z } from "zod";
import { storeLike } from "../../../core/test/helpers/processes.ts";

const [, , path = "", effects = ""] = process.argv;
const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

/** Says its words slowly. */
class SlowModel extends ScriptedModel {
  override async respond(...[request, options]: Parameters<Model["respond"]>): ReturnType<Model["respond"]> {
    const onParts: typeof options.onParts = async (batch) => {
      await sleep(20, undefined, { signal: options.signal });
      await options.onParts?.(batch);
    };
    return await super.respond(request, { ...options, onParts });
  }
}

const pay = defineTool({
  name: "pay",
  description: "Pays an invoice.",
  input: z.object({ invoice: z.string() }),
  effects: "once",
  reads: "trusted",
  run: async ({ invoice }) => {
    await appendFile(effects, `${invoice}\n`);
    await sleep(200);
    return `paid ${invoice}`;
  },
});
const model = new SlowModel(
  ...Array.from({ length: 1000 }, () => ({ contents }: Parameters<Model["respond"]>[0]) => {
    const part = contents.at(-1)?.parts[0];
    if (part?.functionResponse === undefined) return call("pay", { invoice: part?.text ?? "" });
    const { output } = part.functionResponse.response;
    return say(...`It is done, and all of it: ${String(output)}. Anything else?`.split(/(?<= )/));
  }),
);

let going = 0;
const counter: Observer = {
  observe: ({ type }) => {
    if (type !== "run-start" && type !== "run-end") return;
    going += type === "run-start" ? 1 : -1;
    print({ going });
  },
};
const file = new SqliteStore(path);
const handler = chatHandler({
  agent: new Agent({ model, tools: [pay], observers: [counter] }),
  store: storeLike(file, { processes: undefined }),
  leaseMs: 3_600_000,
  authorize: ({ headers }) => ({ owner: headers.get("x-user") ?? "ann" }),
  protocol: aiSdk({ version: 7 }),
});
const server = createServer(toNodeHandler(handler)).listen(0, "127.0.0.1");
await once(server, "listening");
const drained = drainOnSignal(server, handler, { finishMs: 100, timeoutMs: 30_000 });
// A server that listens on a port has one.
print({ port: (server.address() as AddressInfo).port });
print({ drained: await drained });
file.close();
