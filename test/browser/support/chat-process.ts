// A chat server for pages of three versions of the AI SDK: `chat-process.ts PATH`, the file of a SQLite store. Prints lines of JSON: its
// address, then the last stored word of each conversation.
import { EventEmitter, on, once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent, defineTool } from "@pollux/core";
import { SqliteStore } from "@pollux/core/node";
import { chatHandler } from "@pollux/web";
import { aiSdk, type AiSdkVersion } from "@pollux/web/ai-sdk";
import { toNodeHandler } from "@pollux/web/node";
import { z } from "zod";
import { storeLike } from "../../../packages/core/test/helpers/processes.ts";
import { PacedModel } from "./paced-model.ts";

const [, , path = ""] = process.argv;
const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

let goOn = (): void => {};
const isWanted = new Promise<void>((resolve) => (goOn = resolve));
const input = z.object({ n: z.number().optional() });
const tools = [
  defineTool({ name: "work", description: "Works.", input, run: ({ n }) => ({ done: n }) }),
  defineTool({
    name: "slow",
    description: "Says how far it is, and works until a test lets it end.",
    run: async (_input, context) => {
      await context.progress({ percent: 50 });
      await isWanted;
      return { percent: 100 };
    },
  }),
  defineTool({
    name: "fail",
    description: "Fails.",
    run: () => {
      throw new Error("secret");
    },
  }),
  defineTool({
    name: "pay",
    description: "Pays.",
    input,
    needsApproval: true,
    approvedBy: "user",
    run: ({ n }) => ({ paid: n }),
  }),
  defineTool({ name: "where", description: "Where the user is: only the page knows.", approvedBy: "user" }),
];

const drafts = new EventEmitter();
const model = new PacedModel(async (text, signal) => {
  for await (const [stored] of on(drafts, "stored", { signal })) if (String(stored).includes(text)) return;
});
const inner = new SqliteStore(path);
const store = storeLike(inner, {
  append: async (id, ...rest) => {
    await inner.append(id, ...rest);
    tell(id, rest);
  },
  setDraft: async (id, ...rest) => {
    await inner.setDraft(id, ...rest);
    tell(id, rest);
    drafts.emit("stored", JSON.stringify(rest));
  },
});

/** Prints the last stored word. */
function tell(session: string, written: unknown): void {
  const numbers = JSON.stringify(written).matchAll(/w(\d+) /g);
  const word = Math.max(-1, ...Array.from(numbers, ([, number]) => Number(number)));
  if (word >= 0) print({ session, word });
}

const handlers = ([5, 6, 7] satisfies readonly AiSdkVersion[]).map((version) => ({
  path: `/${version}/api/chat`,
  handle: toNodeHandler(
    chatHandler({
      agent: new Agent({ model, tools, limits: { restarts: 1 } }),
      store,
      authorize: () => ({ owner: `v${version}` }),
      requestsPerMinute: Infinity,
      protocol: aiSdk({ version }),
      path: `/${version}/api/chat`,
      logger: { error: () => {} },
    }),
  ),
}));
const server = createServer((request, response) => {
  if (request.url === "/going") return void response.end(String(model.going));
  if (request.url === "/go-on") return void response.end(String(goOn()));
  const handler = handlers.find((one) => request.url?.startsWith(one.path));
  if (handler !== undefined) return handler.handle(request, response);
  return void response.writeHead(404).end();
}).listen(0, "127.0.0.1");
await once(server, "listening");
// A server that listens on a port has one.
print({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
