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
    // A timer's delay is limited to 31 bits. It keeps the process alive only while something waits for it.
    const timer = setTimeout(
      () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      },
      Math.min(ms, 2_147_483_647),
    );
    signal?.addEventListener("abort", stop, { once: true });
  });
}
