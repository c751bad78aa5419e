/** A longer timer fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Waits, or rejects with the signal's reason as soon as it aborts. `Infinity` waits for the abort.
 *
 * @throws The reason of `signal`.
 */
export async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  if (ms <= 0) return;
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    let leftMs = ms;
    let timer: ReturnType<typeof setTimeout>;
    const next = (): void => {
      const stepMs = Math.min(leftMs, MAX_TIMER_MS);
      leftMs -= stepMs;
      timer = setTimeout(leftMs > 0 ? next : done, stepMs);
    };
    const done = (): void => {
      signal?.removeEventListener("abort", stop);
      resolve();
    };
    next();
    signal?.addEventListener("abort", stop, { once: true });
  });
}
