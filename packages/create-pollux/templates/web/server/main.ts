import { createServer } from "node:http";
import { connect } from "@pollux/cli";
import { SqliteStore } from "@pollux/core/node";
import { drainOnSignal, toNodeHandler } from "@pollux/web/node";
import { createChats } from "./chats.ts";
import { serveBuilt, serveSources } from "./serve-page.ts";

const chosenPort = process.env["PORT"];

// The service if a key is set, otherwise a local emulator, here as slow as a model.
const connection = await connect(process.env, { delays: { firstByteMs: 250, chunkMs: 45 }, deltaCharacters: 10 });
const store = new SqliteStore("chats.sqlite");
const handler = createChats(connection.endpoint, store);
const chats = toNodeHandler(handler);

const server = createServer();
const page = process.argv.includes("--built") ? serveBuilt() : await serveSources(server);
server.on("request", (request, response) => {
  const isChat = /^\/api\/chat(?:[/?]|$)/.test(request.url ?? "");
  const listener = isChat ? chats : page;
  listener(request, response);
});
server.on("error", (error: NodeJS.ErrnoException) => {
  // Another project may be at the default port; any free one will do.
  if (error.code === "EADDRINUSE" && chosenPort === undefined) return void server.listen(0, "127.0.0.1");
  console.error(`${error.message}\nChoose another port with the variable PORT.`);
  process.exit(1);
});
server.on("listening", () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : address;
  console.log(`${connection.description}\nThe chat is at http://localhost:${port}. Press Ctrl-C to stop.`);
});
server.listen(Number(chosenPort ?? 5173), "127.0.0.1");

// Ctrl-C, or a new version is deployed: answers may end for a few seconds, and others go on in the next process.
await drainOnSignal(server, handler);
store.close();
process.exit(0);
