import { setImmediate } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, vi } from "vitest";

/** What is faked: all that tells or takes time. Turns of the event loop stay real. */
const CLOCKS = ["Date", "performance", "setTimeout", "clearTimeout", "setInterval", "clearInterval"] as const;

/**
 * Gives the tests of a block, or of a file, a clock of their own, for everything that runs in this process.
 *
 * @param mode - `"stands"`: time passes only where a test advances it. `"leaps"`: it leaps to the next timer whenever nothing else
 * is left to do, so that every wait ends at once and in the order of the times.
 */
export function fakeTime(mode: "stands" | "leaps"): void {
  // Loaded when it is first needed: to read a file takes turns of the event loop, in which time would leap.
  beforeAll(async () => {
    await import("../../src/tool/schema/validator.ts");
    await import("../../src/session/session-runtime.ts");
  });
  beforeEach(() => {
    vi.useFakeTimers({ toFake: [...CLOCKS] });
    if (mode === "leaps") vi.setTimerTickMode("nextTimerAsync");
  });
  afterEach(() => void vi.useRealTimers());
}

/** Resolves when all is done that waits for no timer and nothing from outside of this process. */
export async function idle(): Promise<void> {
  await setImmediate();
}
