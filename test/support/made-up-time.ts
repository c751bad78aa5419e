import { setImmediate as nextTurn } from "node:timers/promises";
import { vi } from "vitest";

/** A limit for silence that no wait comes near: only {@link inMadeUpTime} lets so much time pass. */
export const SILENCE_MS = 1_000_000_000;

/**
 * Does work while timers and clocks go by what happens, however fast the machine is: a millisecond passes with each turn of
 * the event loop, and {@link SILENCE_MS} each time `takeSilence` says that the service has fallen silent for good.
 *
 * @param takeSilence - Asked with each turn; says so once of each silence. `World.takeSilence` does.
 */
export async function inMadeUpTime<Result>(
  takeSilence: (() => boolean) | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  try {
    const progress = { isOver: false };
    const working = work().finally(() => (progress.isOver = true));
    // Whoever waits for it hears of it.
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
