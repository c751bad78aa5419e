import type { SessionRecords, SessionStore } from "@pollux/core";

/** Most leases to remember. */
const MAX_SEEN = 10_000;

/** A lease, and when it last changed. */
interface Seen {
  readonly token: number;
  readonly beat: number;
  readonly at: number;
}

/** Distinguishes active runs from runs whose process died, by watching for renewals of their leases. */
export class LeaseWatch {
  readonly #store: SessionStore;
  readonly #now: () => number;
  readonly #seen: Map<string, Seen> = new Map();

  /** @param now - A clock that never goes back, in milliseconds. */
  constructor(store: SessionStore, now: () => number = () => performance.now()) {
    this.#store = store;
    this.#now = now;
  }

  /** True while the lease is held, its process is not known to be gone, and its beat changed within its duration. */
  isHeld(id: string, { lease }: SessionRecords): boolean {
    if (lease?.held !== true) return false;
    const { process, token, beat, durationMs } = lease;
    if (process !== undefined && this.#store.processes?.isGone(process) === true) return false;
    const seen = this.#seen.get(id);
    const now = this.#now();
    if (seen !== undefined && seen.token === token && seen.beat === beat) return now - seen.at < durationMs;
    this.#seen.delete(id);
    this.#seen.set(id, { token, beat, at: now });
    if (this.#seen.size > MAX_SEEN) this.#seen.delete(this.#seen.keys().next().value ?? "");
    return true;
  }
}
