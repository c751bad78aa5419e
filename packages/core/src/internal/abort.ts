/** Settles as `work` does, or rejects with `signal.reason` as soon as the signal aborts. Leaves no listener behind. */
export function abortable<T>(work: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stopListening = whenAborted(signal, () => reject(signal.reason));
    work.then(
      (value) => {
        stopListening();
        resolve(value);
      },
      (error: unknown) => {
        stopListening();
        reject(error);
      },
    );
  });
}

/** Calls `onAbort` when a signal aborts, or at once if it already has. @returns Stops listening. */
export function whenAborted(signal: AbortSignal | undefined, onAbort: () => void): () => void {
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return () => signal?.removeEventListener("abort", onAbort);
}

/** The longest delay of `setTimeout` in milliseconds, 24.8 days: it fires at once for a longer one. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/** Calls `fire` after `ms` milliseconds, however long that is; never for `Infinity`. @returns Stops the timer. */
export function startTimer(ms: number, fire: () => void): () => void {
  let leftMs = ms;
  let timer: ReturnType<typeof setTimeout>;
  const wait = (): void => {
    const stepMs = Math.min(leftMs, MAX_TIMER_MS);
    leftMs -= stepMs;
    timer = setTimeout(leftMs > 0 ? wait : fire, stepMs);
  };
  wait();
  return () => clearTimeout(timer);
}

/** Resolves after `ms` milliseconds; rejects with `signal.reason` as soon as the signal aborts. Leaves no timer behind. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stopTimer = startTimer(ms, () => {
      stopListening();
      resolve();
    });
    const stopListening = whenAborted(signal, () => {
      stopTimer();
      reject(signal?.reason);
    });
  });
}

/** A clock in milliseconds since the epoch that never jumps, but may stand still while the machine sleeps. */
export function steadyClock(): () => number {
  const epoch = Date.now();
  const begun = performance.now();
  return () => epoch + Math.floor(performance.now() - begun);
}
