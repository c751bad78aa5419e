/** The longest time a timer can wait, in milliseconds; more would fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

/** A signal with an end of its own. */
export interface TimeLimit {
  /** Aborts with the outer signal's reason, or with a `TimeoutError` when the time is up. */
  readonly signal: AbortSignal;
  /** Settles when one of the two happens; never rejects, and stays pending when neither does. */
  readonly over: Promise<"aborted" | "timeout">;
  /** Frees timer and listener. */
  end(): void;
}

/** Starts the clock. */
export function startLimit(outer: AbortSignal, timeoutMs: number): TimeLimit {
  const controller = new AbortController();
  let finish: (why: "aborted" | "timeout") => void = () => {};
  const over = new Promise<"aborted" | "timeout">((resolve) => (finish = resolve));
  const onAbort = (): void => {
    finish("aborted");
    controller.abort(outer.reason);
  };
  const onTimeout = (): void => {
    finish("timeout");
    controller.abort(new DOMException(`no answer within ${timeoutMs} ms`, "TimeoutError"));
  };
  outer.addEventListener("abort", onAbort, { once: true });
  const timer = timeoutMs > MAX_TIMER_MS ? undefined : setTimeout(onTimeout, timeoutMs);
  return {
    signal: controller.signal,
    over,
    end: () => {
      clearTimeout(timer);
      outer.removeEventListener("abort", onAbort);
    },
  };
}
