/* if operator */
import { randomUUID } from "node:crypto";
/* end */
import { createServer } from "node:http";
import { connect } from "@pollux/cli";
import { keepExchanges } from "@pollux/core/exchanges";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { observeAllRuns } from "@pollux/core/observers";
import { drainOnSignal, toNodeHandler } from "@pollux/web/node";
import getPort from "get-port";
import { createChats } from "./chats.ts";
/* if operator */
import { createOperators } from "./operators.ts";
/* end */
import { servePage } from "./serve-page.ts";

// The service if a key is set, otherwise a local emulator, here as slow as a model.
const connection = await connect(process.env, { delays: { firstByteMs: 250, chunkMs: 45 }, deltaCharacters: 10 });
const store = new SqliteStore("chats.sqlite");
const isBuilt = process.argv.includes("--built");
// In development, keeps requests, and for a day what tools throw, for `npx pollux inspect chats.sqlite`.
if (!isBuilt) observeAllRuns(keepExchanges(new JsonlStore("exchanges"), { causes: {} }));
const chats = createChats(connection.endpoint, store);
/* if operator */
const token = process.env["OPERATOR_TOKEN"] ?? randomUUID();
const operators = createOperators(connection.endpoint, store, token);
/* end */

const server = createServer();
const page = await servePage(server, isBuilt);
const answerChat = toNodeHandler(chats);
/* if operator */
const answerOperator = toNodeHandler(operators);
/* end */
server.on("request", (request, response) => {
  /* if operator */
  if (request.url?.startsWith("/api/operator")) return answerOperator(request, response);
  /* end */
  return request.url?.startsWith("/api/") ? answerChat(request, response) : page(request, response);
});
// Another project may be at the default port; any free one will do.
const port = Number(process.env["PORT"] ?? (await getPort({ port: 5173, host: "127.0.0.1" })));
server.listen(port, "127.0.0.1", () => {
  console.log(`${connection.description}\nThe chat is at http://localhost:${port}. Press Ctrl-C to stop.`);
  /* if operator */
  console.log(`The operator's page is at http://localhost:${port}/operator#${token}`);
  /* end */
});

// Ctrl-C, or a new version is deployed: answers get a few seconds to finish; others continue in the next process.
await drainOnSignal(server, [/* if operator */ operators, /* end */ chats]);
store.close();
process.exit(0);
