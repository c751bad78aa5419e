import { HttpError } from "@pollux/core/serving";

/** Most owners that are remembered, so that nothing grows without bound. */
const MAX_OWNERS = 10_000;

/**
 * Limits the requests of each owner in this process: those of a minute at once, and from then on one per share of a minute. Only one time is
 * kept for each owner: when their last request would have come, had all come evenly spaced.
 */
export class RequestRate {
  readonly #everyMs: number;
  readonly #now: () => number;
  /** By owner, in the order of their last request. */
  readonly #evenly: Map<string, number> = new Map();

  /** @param now - Milliseconds on a clock that never jumps. */
  constructor(perMinute: number, now: () => number = () => performance.now()) {
    this.#everyMs = 60_000 / perMinute;
    this.#now = now;
  }

  /** Counts a request. @throws {HttpError} When it is one too many: that one does not count. */
  count(owner: string): void {
    const now = this.#now();
    const next = Math.max(now, this.#evenly.get(owner) ?? 0) + this.#everyMs;
    const tooEarlyMs = next - now - 60_000;
    // Sums of fractions are not exact.
    if (tooEarlyMs > 1e-3)
      throw new HttpError(429, "too_many_requests", "You have sent too many requests. Wait a moment.", {
        "retry-after": String(Math.ceil(tooEarlyMs / 1000)),
      });
    this.#evenly.delete(owner);
    this.#evenly.set(owner, next);
    for (const [oldest, time] of this.#evenly) {
      if (time > now && this.#evenly.size <= MAX_OWNERS) break;
      this.#evenly.delete(oldest);
    }
  }
}
