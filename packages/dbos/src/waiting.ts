import { setTimeout as sleep } from "node:timers/promises";

/** A longer timer fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Waits for a number of milliseconds. @throws The signal's reason, if it aborts. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    for (let leftMs = ms; leftMs > 0 || leftMs === ms; leftMs -= MAX_TIMER_MS)
      await sleep(Math.min(leftMs, MAX_TIMER_MS), undefined, { signal });
  } catch (error) {
    // Node throws its own error instead.
    signal?.throwIfAborted();
    throw error;
  }
}

/** The result of `work`, unless the signal aborts first. @throws The signal's reason. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  signal.throwIfAborted();
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
  }
}
