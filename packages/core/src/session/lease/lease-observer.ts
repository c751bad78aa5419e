import type { Lease } from "../store/records.ts";
import type { SessionStore } from "../store/store.ts";

/** What this process has seen of one held lease, on its monotonic clock. */
interface Sighting {
  lease: Lease;
  /** Since when it has not changed. */
  since: number;
  /** When it was looked at last. */
  lookedAt: number;
  /** It was seen to change within its duration, so its holder lived then. */
  renewedRecently: boolean;
}

/** Most leases of one store that are remembered: each belongs to a run that was going, or cut off, when it was looked at last. */
const MAX_SIGHTINGS = 10_000;

/** By store and id of the session: whoever opens a session anew for each request must not begin to wait anew. */
const sightings = new WeakMap<SessionStore, Map<string, Sighting>>();

/** Whether the holder of a session's lease still lives, as this process finds out: by watching it on a clock of its own. */
export class LeaseObserver {
  readonly #store: SessionStore;
  readonly #id: string;

  constructor(store: SessionStore, id: string) {
    this.#store = store;
    this.#id = id;
  }

  /** What is known of the lease now. */
  look(lease: Lease | undefined): LeaseFinding {
    const { processes } = this.#store;
    if (lease?.held !== true || (lease.process !== undefined && processes?.isGone(lease.process) === true)) {
      sightings.get(this.#store)?.delete(this.#id);
      return { state: "free" };
    }
    const { since, renewedRecently } = this.#see(lease);
    const leftMs = since + lease.durationMs - performance.now();
    return leftMs <= 0 ? { state: "free" } : { state: "held", lease, leftMs, renewedRecently };
  }

  #see(lease: Lease): Sighting {
    const all = sightings.get(this.#store) ?? new Map<string, Sighting>();
    sightings.set(this.#store, all);
    const now = performance.now();
    const seen = all.get(this.#id);
    const isSame = seen?.lease.token === lease.token;
    if (isSame && seen.lease.beat === lease.beat) {
      seen.lookedAt = now;
      return seen;
    }
    // One that was renewed since a look of long ago may have been left soon after that.
    const renewedRecently = isSame && now - seen.lookedAt <= lease.durationMs;
    const sighting = { lease, since: now, lookedAt: now, renewedRecently };
    all.delete(this.#id);
    all.set(this.#id, sighting);
    const [oldest] = all.keys();
    if (all.size > MAX_SIGHTINGS && oldest !== undefined) all.delete(oldest);
    return sighting;
  }
}

/** `free`: nobody holds it, or its holder is dead. `held`: it may be held; `renewedRecently` when its holder was seen to renew it. */
export type LeaseFinding =
  | { readonly state: "free" }
  | {
      readonly state: "held";
      readonly lease: Lease;
      /** When it has expired unless it changes, in milliseconds from now. */
      readonly leftMs: number;
      readonly renewedRecently: boolean;
    };
