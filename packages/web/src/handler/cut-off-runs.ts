import type { Lease, SessionStore, SessionSummary } from "@pollux/core";

/** Most sessions that are remembered, so that nothing grows without bound. */
const MAX_SEEN = 10_000;

/**
 * Tells runs that are going from those whose process has died, without reading their logs: the store may know of processes, and a lease
 * that nobody has renewed for its whole duration has expired.
 */
export class CutOffRuns {
  readonly #store: SessionStore;
  /** Leases of runs that seem to be going, and since when they have not changed, on the monotonic clock. */
  readonly #seen: Map<string, { readonly lease: Lease; readonly since: number }> = new Map();

  constructor(store: SessionStore) {
    this.#store = store;
  }

  /** A session as it is now, given how a list has just shown it. */
  async stateOf(listed: SessionSummary): Promise<SessionSummary["state"] | "cut-off"> {
    const { id, length, state } = listed;
    if (state !== "running") return state;
    const { lease } = await this.#store.records(id);
    if (this.#isHeld(id, lease)) return state;
    // It may have ended since it was listed.
    const [now] = await this.#store.list({ prefix: id, order: "id", limit: 1 });
    return now?.id === id && now.length !== length ? now.state : "cut-off";
  }

  #isHeld(id: string, lease: Lease | undefined): boolean {
    const isGone = lease?.process !== undefined && this.#store.processes?.isGone(lease.process) === true;
    const seen = this.#seen.get(id);
    this.#seen.delete(id);
    if (lease?.held !== true || isGone) return false;
    const isSame = seen?.lease.token === lease.token && seen.lease.beat === lease.beat;
    const since = isSame ? seen.since : performance.now();
    this.#seen.set(id, { lease, since });
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MAX_SEEN && oldest !== undefined) this.#seen.delete(oldest);
    return performance.now() - since < lease.durationMs;
  }
}
