import { setTimeout } from "node:timers/promises";

/** Simulates the time that a real service would take. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal });
}
