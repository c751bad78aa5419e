import { type Counts, countWork, startCoverage, stopCoverage } from "./coverage.ts";

/**
 * Program that counts the calls and files of one message of a session, on the sources as they are, and prints them as JSON:
 * the first message, with one tool call.
 */

/** Counts of a message, without and with a watcher. */
export interface SessionCounts {
  readonly send: SessionCount;
  readonly watched: SessionCount;
}

/** Calls of core's functions, and files with any. */
export interface SessionCount {
  readonly calls: number;
  readonly files: readonly string[];
}

await startCoverage();
const { Agent, MemoryStore } = await import("@pollux/core");
const { applyUpdate, watchConversation } = await import("@pollux/core/conversation");
const { countedService, look, turns } = await import("./counted-service.ts");

const counts: SessionCounts = { send: await count(send), watched: await count(sendWatched) };
process.stdout.write(JSON.stringify(counts));
stopCoverage();

async function count(prepare: () => () => Promise<void>): Promise<SessionCount> {
  const { calls, byFile }: Counts = await countWork(prepare);
  return { calls, files: [...byFile.keys()] };
}

function send(): () => Promise<void> {
  const agent = new Agent({ model: countedService(turns(2)).model, tools: [look] });
  const store = new MemoryStore();
  return async () => void (await agent.session({ id: "session", store }).send("Look at all pages."));
}

/** A page that shows the conversation from before its first message until the answer is complete. */
function sendWatched(): () => Promise<void> {
  const agent = new Agent({ model: countedService(turns(2)).model, tools: [look] });
  const store = new MemoryStore();
  return async () => {
    const session = agent.session({ id: "session", store });
    const updates = watchConversation(session);
    let { value } = await updates.next();
    let conversation = applyUpdate(undefined, value);
    const sent = session.send("Look at all pages.");
    while (conversation.messages.at(-1)?.state !== "complete" || conversation.state !== "idle") {
      ({ value } = await updates.next());
      conversation = applyUpdate(conversation, value);
    }
    await updates.return?.();
    await sent;
  };
}
