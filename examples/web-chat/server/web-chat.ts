import { join } from "node:path";
import type { Endpoint } from "@pollux/core";
import { SqliteStore } from "@pollux/core/node";
import { chatHandler } from "@pollux/web";
import { aiSdk } from "@pollux/web/ai-sdk";
import { createChatAgent } from "./agent.ts";
import { servePage } from "./page-files.ts";
import { MediaFolder } from "./media-folder.ts";
import { authorize, type LocalServer, serveLocally } from "./serve-locally.ts";

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

/** Serves the page, the conversations, the pictures and the sounds on this machine only. */
export async function startWebChat({ endpoint, model, data, page, port }: WebChatOptions): Promise<LocalServer> {
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
  return await serveLocally({
    chats,
    files: async (request) =>
      (await pictures.find(request)) ?? (await sounds.find(request)) ?? (await servePage(page, new URL(request.url))),
    port,
    close: () => store.close(),
  });
}
