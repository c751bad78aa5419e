import { appendFileSync, readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Agent, defineTool, type Model } from "@pollux/core";
import { map } from "@pollux/core/bulk";
import { SqliteStore } from "@pollux/core/node";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { z } from "zod";

// Books many documents with a tool that must not run twice, and prints each finished one. The ledger stands for the booking service.
//   map-documents.ts PATH LEDGER COUNT [DIES_AT]   with DIES_AT, it is killed after it has printed so many
const [path = "", ledger = "", count = "", diesAt = ""] = process.argv.slice(2);

const book = defineTool({
  name: "book",
  description: "Books a document.",
  input: z.object({ document: z.string() }),
  effects: "once",
  run: async ({ document }) => {
    await Promise.resolve();
    appendFileSync(ledger, `${document}\n`);
    await Promise.resolve();
    return "booked";
  },
});

/** Answers any number of requests, and remembers none. */
const scripted = new ScriptedModel();
const model: Model = {
  id: scripted.id,
  capabilities: scripted.capabilities,
  check: (settings) => scripted.check(settings),
  respond: async (request, options) => {
    const [part] = request.contents.at(-1)?.parts ?? [];
    const turn = part?.text === undefined ? say("Booked.") : call("book", { document: part.text });
    return await new ScriptedModel(turn).respond(request, options);
  },
};

async function* documents(): AsyncGenerator<string> {
  for (let at = 0; at < Number(count); at += 1) {
    await Promise.resolve();
    yield `document-${at}`;
  }
}

setFlagsFromString("--expose-gc");
// The flag provides `gc` as a function.
const collect = runInNewContext("gc") as () => void;

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const store = new SqliteStore(path);
const agent = new Agent({ model, tools: [book] });
const run = map(agent, documents(), { store, key: (name) => name, concurrency: 16, total: Number(count) });
let read = 0;
for await (const item of run) {
  // The run asks whether a call that was cut off took place; the ledger knows.
  if (item.status === "waiting") {
    const isBooked = readFileSync(ledger, "utf8").split("\n").includes(item.key);
    const outcomes = Object.fromEntries(
      item.result.pending.map(({ token }) => [token, isBooked ? { output: "booked" } : { notExecuted: true as const }]),
    );
    await agent.session({ id: item.sessionId, store }).resume({ outcomes });
  }
  read += 1;
  if (read === 200 || read === Number(count)) collect();
  print({ key: item.key, status: item.status, heap: process.memoryUsage().heapUsed });
  if (read === Number(diesAt)) process.kill(process.pid, "SIGKILL");
}
print({ summary: await run.summary() });
store.close();
