import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { createEmulator } from "@pollux/emulator";
import type { Errand } from "./errand.ts";
import { errandBrain } from "./errand-brain.ts";

// An emulator in its own thread: it reports its address, then on request how many requests it is answering.

/** Its answer to a message. */
export interface ServerState {
  /** Requests still in progress after half a minute. */
  readonly open: number;
}

const emulator = createEmulator({
  // The parent passes an errand.
  brain: errandBrain(workerData as Errand),
  largeSignatures: false,
  delays: { chunkMs: 0.5 },
  deltaCharacters: 12,
});
const server = await emulator.listen();
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.postMessage(server.url);
parentPort?.on("message", () => void answer());

async function answer(): Promise<void> {
  const until = performance.now() + 30_000;
  while (openRequests() > 0 && performance.now() < until) await sleep(1);
  const state: ServerState = { open: openRequests() };
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(state);
}

function openRequests(): number {
  return emulator.requests.filter(({ answered }) => answered.complete === undefined).length;
}
