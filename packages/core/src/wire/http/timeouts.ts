import { ApiTimeoutError, type TimeoutKind } from "../../errors/api-errors.ts";
import { MAX_TIMER_MS } from "../../internal/abort.ts";

/** The client's own time limits, in milliseconds; `Infinity` switches one off. */
export interface Timeouts {
  /** From sending the request to the first byte of the body. @defaultValue 300_000 */
  readonly firstByteMs: number;
  /** Between two reads of the body; only time spent waiting for the service counts. @defaultValue 120_000 */
  readonly idleMs: number;
  /** For the whole attempt; also told to the service. @defaultValue 1_200_000 */
  readonly totalMs: number;
}

/** Five minutes to the first byte, two between reads, twenty in all. */
export const DEFAULT_TIMEOUTS: Timeouts = { firstByteMs: 300_000, idleMs: 120_000, totalMs: 1_200_000 };

/** What a {@link Watchdog} ends when a limit has passed. */
export interface Watched {
  stop(reason: ApiTimeoutError): void;
}

/**
 * Watches one exchange with a single timer: reads only note the time, and the timer, when it fires, looks whether a
 * limit has really passed.
 */
export class Watchdog {
  readonly #timeouts: Timeouts;
  readonly #watched: Watched;
  readonly #startedAt = performance.now();
  #begun = false;
  #waitingSince: number | undefined = this.#startedAt;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeouts: Timeouts, watched: Watched) {
    this.#timeouts = timeouts;
    this.#watched = watched;
    this.#arm();
  }

  /** A read begins. */
  waiting(): void {
    if (this.#begun) this.#waitingSince = performance.now();
  }

  /** A read brought bytes. */
  arrived(): void {
    this.#waitingSince = undefined;
    this.#begun = true;
  }

  /** Ends the watch; leaves no timer. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    const total = this.#startedAt + this.#timeouts.totalMs - now;
    const limit = this.#begun ? this.#timeouts.idleMs : this.#timeouts.firstByteMs;
    const wait = (this.#waitingSince ?? now) + limit - now;
    if (total <= 0) return this.#expire("total", this.#timeouts.totalMs);
    if (wait <= 0) return this.#expire(this.#begun ? "idle" : "first-byte", limit);
    // Never later than the idle limit of a body that begins right away, so that its first byte needs no new timer.
    const soonest = this.#begun ? wait : Math.min(wait, this.#timeouts.idleMs);
    this.#timer = setTimeout(() => this.#arm(), Math.min(Math.ceil(total), Math.ceil(soonest), MAX_TIMER_MS));
  }

  #expire(kind: TimeoutKind, limitMs: number): void {
    this.end();
    this.#watched.stop(new ApiTimeoutError(kind, limitMs, MESSAGES[kind](limitMs)));
  }
}

const MESSAGES: Readonly<Record<TimeoutKind, (ms: number) => string>> = {
  "first-byte": (ms) =>
    `No byte of the response arrived within ${ms} ms; raise timeouts.firstByteMs if the model may think longer.`,
  idle: (ms) => `The response stalled for ${ms} ms; raise timeouts.idleMs if the model may pause longer.`,
  total: (ms) => `The response was not complete after ${ms} ms; raise timeouts.totalMs or request less at once.`,
};

/**
 * Defaults with the given limits over them; an `undefined` keeps the default.
 *
 * @param option - Name of the option that holds them, for the error.
 * @throws {TypeError} For a limit that is not a positive number.
 */
export function withDefaults<T extends { readonly [Name in keyof T]: number }>(
  defaults: T,
  given: { readonly [Name in keyof T]?: number | undefined } | undefined,
  option: string,
): T {
  const merged: T = { ...defaults };
  for (const name in defaults) {
    const value = given?.[name];
    if (value === undefined) continue;
    if (typeof value !== "number" || !(value > 0)) throw new TypeError(`${option}.${name} must be a positive number`);
    Object.assign(merged, { [name]: value });
  }
  return merged;
}
