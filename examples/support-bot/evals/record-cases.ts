// Records the sessions in `cases`, as `pollux eval add` does for sessions of a store. Run it by
// node --conditions=pollux-source examples/support-bot/evals/record-cases.ts
import { rmSync } from "node:fs";
import { MemoryStore } from "@pollux/core";
import { keepExchanges } from "@pollux/core/exchanges";
import { observeAllRuns } from "@pollux/core/observers";
import { scrubRecording } from "@pollux/core/rehearsal";
import { endpoint } from "@pollux/core/wire";
import { createEmulator } from "@pollux/emulator";
import { sessionCaseFiles, writeSessionCase } from "@pollux/evals";
import { createSupportAgent } from "../agent.ts";
import { scrub } from "./scrub.ts";
import { shopBrain } from "./shop-brain.ts";

const SESSIONS = {
  "order-9": "Refund order 9, please. You reach me at ann.lee@mail.example.",
  "order-31": "My tent never came, order 31. I want my money back.",
};

const store = new MemoryStore();
const kept = new MemoryStore();
const exchanges = keepExchanges(kept);
observeAllRuns(exchanges);
const server = await createEmulator({ brain: shopBrain() }).listen();
const agent = createSupportAgent({ endpoint: endpoint({ baseUrl: server.url }), model: "gemini-3.8-flash" });
for (const [id, message] of Object.entries(SESSIONS)) {
  const { runId, text } = await agent.session({ id, store }).send(message, { approve: () => true });
  await exchanges.flush();
  const { recording } = scrubRecording({ log: await store.load(id), exchanges: await kept.load(id) }, scrub);
  const folder = new URL(`../cases/${id}`, import.meta.url);
  rmSync(folder, { recursive: true, force: true });
  const about = { v: 1, runId, recordedAt: Date.now(), agent: agent.name, scrubbed: true } as const;
  writeSessionCase(folder, sessionCaseFiles(recording, about));
  console.log(`${id}: ${text}`);
}
await server.close();
