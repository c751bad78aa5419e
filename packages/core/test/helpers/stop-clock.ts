import { onTestFinished, vi } from "vitest";

/**
 * Stops the clock that limits and waits of the library go by, until the end of the test; `vi.advanceTimersByTime` moves it.
 * Sockets go on as ever.
 */
export function stopClock(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
}
