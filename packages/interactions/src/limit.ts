import { ApiTimeoutError, type CallSignal } from "@pollux/core/wire";

const HOUR_MS = 3_600_000;
/** The longest timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A limit on the wait for an interaction. */
export interface Limit extends Disposable {
  /** Aborts when the limit passes, with an {@link ApiTimeoutError}; or with the caller's signal. */
  readonly signal: AbortSignal;
}

/** Starts a limit; disposing of it stops its timer. */
export function startLimit(id: string, options: CallSignal & { readonly timeoutMs?: number | undefined }): Limit {
  const { timeoutMs = HOUR_MS, signal } = options;
  if (!(timeoutMs > 0)) throw new TypeError("timeoutMs must be a positive number");
  const passed = new AbortController();
  const message = `Interaction ${id} was not over after ${timeoutMs} ms (timeoutMs); it continues.`;
  const late = new ApiTimeoutError("total", timeoutMs, message);
  const timer = setTimeout(() => passed.abort(late), Math.min(timeoutMs, MAX_TIMER_MS));
  return {
    signal: signal === undefined ? passed.signal : AbortSignal.any([signal, passed.signal]),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
