import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Agent, type Endpoint, pollJobs } from "@pollux/core";
import { SqliteStore } from "@pollux/core/node";
import { deepResearch, InteractionsClient } from "@pollux/interactions";
import { chatHandler } from "@pollux/web";
import { aiSdk } from "@pollux/web/ai-sdk";
import { servePage } from "../../web-chat/server/page-files.ts";
import { authorize, type LocalServer, serveLocally } from "../../web-chat/server/serve-locally.ts";

export interface ResearchChatOptions {
  /** Google's Developer API, or the emulator. */
  readonly endpoint: Endpoint;
  readonly model: string;
  /** Folder for the conversations. */
  readonly data: string;
  /** Folder with the page, as built. */
  readonly page: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Milliseconds before a research is asked about, and between two looks at the conversations. */
  readonly checkEveryMs: number;
}

/**
 * Serves a chat whose agent researches once a person has accepted its plan, and asks how each research stands. It may be killed at any time:
 * started again, it continues.
 */
export async function startResearchChat(options: ResearchChatOptions): Promise<LocalServer> {
  const { endpoint, model, data, page, port, checkEveryMs } = options;
  await mkdir(data, { recursive: true });
  const store = new SqliteStore(join(data, "chats.sqlite"));
  const agent = new Agent({
    model,
    endpoint,
    instructions:
      "Answer in Markdown. Use research for questions that need many sources. From a report, answer only the question, with its sources.",
    tools: [deepResearch({ client: new InteractionsClient({ endpoint }), checkEveryMs, collaborativePlanning: true })],
  });
  const ended = new AbortController();
  // A server that Google can reach gives deepResearch() the address of a webhook as well.
  const polling = pollJobs({ agent, store, signal: ended.signal, everyMs: checkEveryMs, onError: console.error });
  return await serveLocally({
    // After a crash during its start, the person here also says whether the research was started.
    chats: chatHandler({ agent, store, authorize, authorizeAnswer: () => true, protocol: aiSdk({ version: 7 }) }),
    files: async ({ url }) => await servePage(page, new URL(url)),
    port,
    close: async () => {
      ended.abort();
      await polling;
      store.close();
    },
  });
}
