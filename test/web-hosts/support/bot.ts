import { Agent, MemoryStore, type Model } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import { chatHandler, type ChatHandlerOptions, type Platform } from "@pollux/web";
import { aiSdk } from "@pollux/web/ai-sdk";

/** Answers with a thousand words, one every 20 ms. */
class SlowModel extends ScriptedModel {
  override async respond(...[request, options]: Parameters<Model["respond"]>): ReturnType<Model["respond"]> {
    const onParts: typeof options.onParts = async (batch) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      options.signal.throwIfAborted();
      await options.onParts?.(batch);
    };
    return await super.respond(request, { ...options, onParts });
  }
}

const answer = say(...Array.from({ length: 1000 }, (_, index) => `w${index} `));

const options: ChatHandlerOptions = {
  agent: new Agent({ model: new SlowModel(...Array.from({ length: 10 }, () => answer)) }),
  store: new MemoryStore(),
  authorize: ({ headers }) => {
    const owner = headers.get("x-user");
    return owner === null ? new Response("Log in first.", { status: 401 }) : { owner };
  },
  protocol: aiSdk(),
  maxBodyBytes: 10_000,
};
const going = chatHandler(options);
const aborting = chatHandler({ ...options, path: "/api/chat/aborting", onDisconnect: "abort" });

/** The bot that all hosts serve. Runs below `aborting` end with their clients. */
export const handler = (request: Request, platform?: Platform): Promise<Response> =>
  (new URL(request.url).pathname.startsWith("/api/chat/aborting") ? aborting : going)(request, platform);
