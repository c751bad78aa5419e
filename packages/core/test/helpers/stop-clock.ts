import { onTestFinished, vi } from "vitest";

/**
 * Stops the clock of the library's limits and waits until the end of the test; `vi.advanceTimersByTime` moves it.
 * Sockets keep working.
 */
export function stopClock(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
}
