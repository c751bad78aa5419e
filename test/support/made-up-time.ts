import { setImmediate as nextTurn } from "node:timers/promises";
import { vi } from "vitest";

/** A limit for silence, far above any wait: only {@link inMadeUpTime} lets that much time pass. */
export const SILENCE_MS = 1_000_000_000;

/**
 * Does work with timers and clocks that depend on events, not on the machine's speed: a millisecond passes with each turn of the
 * event loop, and {@link SILENCE_MS} each time `takeSilence` reports that the service has fallen silent for good.
 *
 * @param takeSilence - Called each turn; true once per silence. `World.takeSilence` does that.
 */
export async function inMadeUpTime<Result>(
  takeSilence: (() => boolean) | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  try {
    const progress = { isOver: false };
    const working = work().finally(() => (progress.isOver = true));
    // Its waiters handle the rejection.
    working.catch(() => {});
    while (!progress.isOver) {
      await nextTurn();
      vi.advanceTimersByTime(takeSilence?.() === true ? SILENCE_MS : 1);
    }
    return await working;
  } finally {
    vi.useRealTimers();
  }
}
