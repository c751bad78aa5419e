import type { Endpoint, SessionStore } from "@pollux/core";
import { type ChatHandler, chatHandler, type Visitor } from "@pollux/web";
import { aiSdk } from "@pollux/web/ai-sdk";
import { createAgent } from "./agent.ts";

/** Answers every request below `/api/chat`: sends, streams, stops, lists and deletes conversations. */
export function createChats(endpoint: Endpoint, store: SessionStore): ChatHandler {
  return chatHandler({
    agent: createAgent(endpoint),
    store,
    authorize,
    protocol: aiSdk({ version: 7 }),
    whileRunning: "steer",
    /* if no operator */
    authorizeAnswer: () => true, // also whether a call that was cut off took effect: nobody else is there to ask
    /* end */
  });
}

/** Everybody at this machine is one user. Check your session cookie here before you deploy. */
function authorize({ url }: Request): Visitor | Response {
  const isLocal = ["localhost", "127.0.0.1"].includes(new URL(url).hostname);
  return isLocal ? { owner: "you" } : new Response("Log in first.", { status: 401 });
}
