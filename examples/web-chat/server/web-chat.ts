import { createServer, type Server } from "node:http";
import { join } from "node:path";
import type { Endpoint } from "@pollux/core";
import { SqliteStore } from "@pollux/core/node";
import { chatHandler, type Visitor } from "@pollux/web";
import { aiSdk } from "@pollux/web/ai-sdk";
import { drainOnSignal, toNodeHandler } from "@pollux/web/node";
import { createChatAgent } from "./agent.ts";
import { servePage } from "./page-files.ts";
import { MediaFolder } from "./media-folder.ts";

export interface WebChatOptions {
  readonly endpoint: Endpoint;
  readonly model: string;
  /** Folder for the conversations, pictures and sounds. */
  readonly data: string;
  /** Folder with the page, as built. */
  readonly page: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** A server that runs. Close it with `await using`. */
export interface WebChat extends AsyncDisposable {
  readonly url: string;
  /** Resolves when a signal has ended it: answers end in time, or go on when the server is started anew. */
  readonly untilStopped: () => Promise<void>;
}

/** Serves the page, the conversations, the pictures and the sounds on this machine only. */
export async function startWebChat({ endpoint, model, data, page, port }: WebChatOptions): Promise<WebChat> {
  const pictures = new MediaFolder(join(data, "pictures"));
  const sounds = new MediaFolder(join(data, "sounds"));
  const store = new SqliteStore(join(data, "chats.sqlite"));
  const chats = chatHandler({
    agent: createChatAgent({ model, endpoint, pictures, sounds }),
    store,
    authorize,
    // Also whether an interrupted order took effect: nobody else is there to ask.
    authorizeAnswer: () => true,
    protocol: aiSdk({ version: 7 }),
    whileRunning: "steer",
    // Pasted images are part of the message.
    maxBodyBytes: 20 * 1024 * 1024,
  });
  const server = createServer(
    toNodeHandler(async (request) => {
      const url = new URL(request.url);
      if (url.pathname === "/api/chat" || url.pathname.startsWith("/api/chat/")) return await chats(request);
      if (!isLocal(request)) return new Response("Open this page at localhost.", { status: 403 });
      return (await pictures.find(request)) ?? (await sounds.find(request)) ?? (await servePage(page, url));
    }),
  );
  const url = await listen(server, port).catch((error: unknown) => {
    store.close();
    throw error;
  });
  return {
    url,
    untilStopped: async () => {
      await drainOnSignal(server, chats);
      store.close();
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      store.close();
    },
  };
}

/** The only user is whoever sits at this machine. An application looks at its session cookie here. */
function authorize(request: Request): Visitor | Response {
  return isLocal(request) ? { owner: "you" } : new Response("Open this page at localhost.", { status: 403 });
}

/** False for a page of the internet whose name was pointed at this machine. */
function isLocal({ url }: Request): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname);
}

async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `http://localhost:${address.port}`;
}
