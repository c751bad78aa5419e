// A chat server in a process of its own: `chat-server.ts KIND PATH WORDS HANGS`. Prints its address as a line of JSON.
// It answers with so many words, one every 20 ms; with `true` as the last its answers never end.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, type Model } from "@pollux/core";
import { hangs as hangsAfter, say, ScriptedModel } from "@pollux/core/testing";
import { chatHandler } from "@pollux/web";
import { aiSdk } from "@pollux/web/ai-sdk";
import { toNodeHandler } from "@pollux/web/node";
import { type Kind, openStore } from "../../../core/test/node/programs/open-store.ts";

const [, , kind = "sqlite", path = "", words = "100", hangs = "false"] = process.argv;

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

const answer = (hangs === "true" ? hangsAfter : say)(
  ...Array.from({ length: Number(words) }, (_, index) => `w${index} `),
);
const handler = chatHandler({
  agent: new Agent({ model: new SlowModel(...Array.from({ length: 50 }, () => answer)) }),
  // The name of a kind, as the test gives it.
  store: openStore(kind as Kind, path),
  authorize: ({ headers }) => ({ owner: headers.get("x-user") ?? "ann" }),
  protocol: aiSdk({ version: 7 }),
});
const server = createServer(toNodeHandler(handler)).listen(0, "127.0.0.1");
await once(server, "listening");
// A server that listens on a port has one.
console.log(JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/chat` }));
