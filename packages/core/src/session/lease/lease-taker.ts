import { SessionConflictError } from "../../errors/run-errors.ts";
import { SessionLeaseLostError, SessionRunningError } from "../../errors/session-errors.ts";
import { HeldLease, type LeaseListener, lookUntil } from "./lease.ts";
import type { RunRecord } from "../log/run-record.ts";
import type { NewEntry, SessionLog } from "../log/session-log.ts";
import type { Lease, SessionRecords, SessionStore } from "../store/store.ts";

/** How long a run keeps its session without renewing the lease, in milliseconds. */
const LEASE_MS = 15_000;

/** How often a run is begun or resumed anew because others wrote to the session in between. */
const MAX_RACES = 20;

/** What this process has seen of one held lease, on its monotonic clock. */
interface Sighting {
  readonly lease: Lease;
  /** Since when it has not changed. */
  readonly since: number;
  readonly lookedAt: number;
  /** It was seen to change within its duration, so its holder lived then. */
  readonly renewedRecently: boolean;
}

/** Most leases of one store that are remembered: each belongs to a run that was going, or cut off, when it was looked at last. */
const MAX_SIGHTINGS = 10_000;

/** By store and id of the session: whoever opens a session anew for each request must not begin to wait anew. */
const sightings = new WeakMap<SessionStore, Map<string, Sighting>>();

/** Finds out whether a run of a session is going, and takes the session's lease for the next one when none is. */
export class LeaseTaker {
  readonly #log: SessionLog;
  readonly #leaseMs: number;

  constructor(log: SessionLog, leaseMs: number = LEASE_MS) {
    this.#log = log;
    this.#leaseMs = leaseMs;
  }

  /** Once no run is going, takes the lease with the entries of the next one. Gives the records from before as well. */
  async take(
    signal: AbortSignal | undefined,
    prepare: () => Promise<PreparedRun>,
    listener: LeaseListener,
  ): Promise<Pick<PreparedRun, "mode" | "closes"> & { readonly lease: HeldLease; readonly left: SessionRecords }> {
    const { id, store } = this.#log;
    return await this.#whenFree(signal, async (left) => {
      // All that is decided from here on is decided on this.
      const at = this.#log.view.length;
      const { runId, mode, entries, closes } = await prepare();
      const lease = nextLease(left.lease, runId, this.#leaseMs, store);
      try {
        await this.#log.append({ lease: { expected: left.lease, next: lease }, at }, ...entries);
      } catch (error) {
        // It may have been written all the same.
        await store.setLease(id, lease, { ...lease, held: false }).catch(() => {});
        throw error;
      }
      return { lease: new HeldLease(store, id, lease, listener), mode, closes, left };
    });
  }

  /** Appends while no run is going. The lease is taken and given back in the same write, so that no paused process can go on. */
  async appendAlone(signal: AbortSignal | undefined, prepare: () => Promise<Omit<PreparedRun, "mode">>): Promise<void> {
    await this.#whenFree(signal, async ({ lease: expected }) => {
      const at = this.#log.view.length;
      const { runId, entries } = await prepare();
      const next = { ...nextLease(expected, runId, this.#leaseMs, this.#log.store), held: false };
      await this.#log.append({ lease: { expected, next }, at }, ...entries);
    });
  }

  /** Does something once it is known that no run is going; anew when others were faster. @throws {SessionRunningError} When one is. */
  async #whenFree<Done>(signal: AbortSignal | undefined, act: (left: SessionRecords) => Promise<Done>): Promise<Done> {
    const { id, store } = this.#log;
    for (let races = 0; ; races++) {
      const left = await lookUntil(store, id, signal, async () => {
        // The lease first: whoever takes it after this makes our append fail.
        const records = await store.records(id);
        const found = this.#observe(records.lease);
        if (found.state === "held") {
          if (found.renewedRecently) throw new SessionRunningError(id, found.lease.runId);
          return { againInMs: found.leftMs };
        }
        await this.#log.refresh();
        return { found: records };
      });
      try {
        return await act(left);
      } catch (error) {
        const raced = error instanceof SessionConflictError || error instanceof SessionLeaseLostError;
        if (!raced || races >= MAX_RACES) throw error;
      }
    }
  }

  /** Whether a run is going, and the log as of then. `free` also when its process has died. */
  async look(): Promise<LeaseFinding> {
    const { id, store } = this.#log;
    for (;;) {
      const { lease } = await store.records(id);
      await this.#log.refresh();
      // A run that began or ended in between would make the two contradict each other.
      const now = (await store.records(id)).lease;
      if (now?.token === lease?.token && now?.held === lease?.held) return this.#observe(now);
    }
  }

  /** Asks the run that is going to stop, in whatever process it is, and waits until it is over. @returns False when none is going. */
  async stop(signal: AbortSignal | undefined): Promise<boolean> {
    const { id, store } = this.#log;
    const { lease } = await store.records(id);
    if (lease === undefined || this.#observe(lease).state === "free") return false;
    await store.requestStop(id, lease.token);
    return await lookUntil(store, id, signal, async () => {
      const now = (await store.records(id)).lease;
      if (now?.token !== lease.token || !now.held) return { found: true };
      // One that has expired was held by a process that died: it was not going.
      const found = this.#observe(now);
      return found.state === "free" ? { found: false } : { againInMs: found.leftMs };
    });
  }

  /** Whether the holder of a lease still lives, as this process finds out: by watching it on a clock of its own. */
  #observe(lease: Lease | undefined): LeaseFinding {
    const { id, store } = this.#log;
    const all = sightings.get(store) ?? new Map<string, Sighting>();
    sightings.set(store, all);
    const seen = all.get(id);
    if (lease?.held !== true || (lease.process !== undefined && store.processes?.isGone(lease.process) === true)) {
      all.delete(id);
      return { state: "free" };
    }
    const now = performance.now();
    const isSame = seen?.lease.token === lease.token;
    // One that was renewed since a look of long ago may have been left soon after that.
    const renewed = { lease, since: now, renewedRecently: isSame && now - seen.lookedAt <= lease.durationMs };
    const { since, renewedRecently } = isSame && seen.lease.beat === lease.beat ? seen : renewed;
    all.delete(id);
    all.set(id, { lease, since, renewedRecently, lookedAt: now });
    const [oldest] = all.keys();
    if (all.size > MAX_SIGHTINGS && oldest !== undefined) all.delete(oldest);
    const leftMs = since + lease.durationMs - now;
    return leftMs <= 0 ? { state: "free" } : { state: "held", lease, leftMs, renewedRecently };
  }
}

function nextLease(last: Lease | undefined, runId: string, durationMs: number, store: SessionStore): Lease {
  const process = store.processes?.self;
  return {
    token: (last?.token ?? 0) + 1,
    // Not from 0: of those that try to take the same token at once one succeeds, and the others must not give its lease back.
    beat: Math.floor(Math.random() * 2 ** 31),
    held: true,
    runId,
    durationMs,
    ...(process !== undefined && { process }),
  };
}

/** A run that is about to begin or to go on. */
export interface PreparedRun {
  readonly runId: string;
  readonly mode: "begin" | "resume";
  readonly entries: readonly NewEntry[];
  /** The run before it, as it was left. */
  readonly closes?: RunRecord | undefined;
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
