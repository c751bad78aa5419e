import { setImmediate } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, vi } from "vitest";

/** Faked functions: clocks and timers. Turns of the event loop stay real. */
const CLOCKS = ["Date", "performance", "setTimeout", "clearTimeout", "setInterval", "clearInterval"] as const;

/**
 * Gives the tests of a block, or of a file, a clock of their own, for everything that runs in this process.
 *
 * @param mode - `"stands"`: time passes only when a test advances it. `"leaps"`: time leaps to the next timer whenever the process is
 * idle, so that every wait ends at once and in the order of the times.
 */
export function fakeTime(mode: "stands" | "leaps"): void {
  // The sources load these on demand, and reading a file takes turns of the event loop, in which time would leap.
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

/** Resolves when all work is done that waits neither for a timer nor for anything outside of this process. */
export async function idle(): Promise<void> {
  await setImmediate();
}
