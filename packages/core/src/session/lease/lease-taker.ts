import { SessionConflictError } from "../../errors/run-errors.ts";
import { SessionLeaseLostError, SessionRunningError } from "../../errors/session-errors.ts";
import { HeldLease, type LeaseListener, lookUntil } from "./lease.ts";
import type { RunRecord } from "../log/run-record.ts";
import type { NewEntry, SessionLog } from "../log/session-log.ts";
import type { Lease, SessionRecords, SessionStore } from "../store/store.ts";

/** How long a run keeps its session without renewing the lease, in milliseconds. */
const LEASE_MS = 15_000;

/** How often beginning or resuming a run is retried because another process wrote to the session in between. */
const MAX_RACES = 20;

/** What this process has seen of one held lease, on its monotonic clock. */
interface Sighting {
  readonly lease: Lease;
  /** When its last change was seen. */
  readonly since: number;
  readonly lookedAt: number;
  /** It was seen to change within its duration, so its holder was alive then. */
  readonly renewedRecently: boolean;
}

/** The most leases remembered per store. Each belongs to a run that was in progress, or cut off, at the last look. */
const MAX_SIGHTINGS = 10_000;

/** By store and session id: a caller that opens the session again for each request must not restart the wait. */
const sightings = new WeakMap<SessionStore, Map<string, Sighting>>();

/** Finds out whether a run of a session is in progress; if none is, takes the session's lease for the next one. */
export class LeaseTaker {
  readonly #log: SessionLog;
  readonly #leaseMs: number;

  constructor(log: SessionLog, leaseMs: number = LEASE_MS) {
    this.#log = log;
    this.#leaseMs = leaseMs;
  }

  /** Once no run is in progress, appends the next run's first entries and takes the lease. Also returns the earlier records. */
  async take(
    signal: AbortSignal | undefined,
    prepare: () => Promise<PreparedRun>,
    listener: LeaseListener,
  ): Promise<Pick<PreparedRun, "mode" | "closes"> & { readonly lease: HeldLease; readonly left: SessionRecords }> {
    const { id, store } = this.#log;
    return await this.#whenFree(signal, async (left) => {
      // Everything below is decided on a log of this length.
      const at = this.#log.view.length;
      const { runId, mode, entries, closes } = await prepare();
      const lease = nextLease(left.lease, runId, this.#leaseMs, store);
      try {
        await this.#log.append({ lease: { expected: left.lease, next: lease }, at }, ...entries);
      } catch (error) {
        // The write may have succeeded anyway.
        await store.setLease(id, lease, { ...lease, held: false }).catch(() => {});
        throw error;
      }
      return { lease: new HeldLease(store, id, lease, listener), mode, closes, left };
    });
  }

  /** Appends while no run is in progress. The same write takes and gives back the lease, so that no paused process can continue. */
  async appendAlone(signal: AbortSignal | undefined, prepare: () => Promise<Omit<PreparedRun, "mode">>): Promise<void> {
    await this.#whenFree(signal, async ({ lease: expected }) => {
      const at = this.#log.view.length;
      const { runId, entries } = await prepare();
      const next = { ...nextLease(expected, runId, this.#leaseMs, this.#log.store), held: false };
      await this.#log.append({ lease: { expected, next }, at }, ...entries);
    });
  }

  /** Acts once no run is in progress; retries when another process was faster. @throws {SessionRunningError} When a run is in progress. */
  async #whenFree<Done>(signal: AbortSignal | undefined, act: (left: SessionRecords) => Promise<Done>): Promise<Done> {
    const { id, store } = this.#log;
    for (let races = 0; ; races++) {
      const left = await lookUntil(store, id, signal, async () => {
        // The lease first: if another process takes it after this, our append fails.
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

  /** Whether a run is in progress; also reads the log as of then. `free` also when the run's process has died. */
  async look(): Promise<LeaseFinding> {
    const { id, store } = this.#log;
    for (;;) {
      const { lease } = await store.records(id);
      await this.#log.refresh();
      // If a run began or ended in between, lease and log would contradict each other.
      const now = (await store.records(id)).lease;
      if (now?.token === lease?.token && now?.held === lease?.held) return this.#observe(now);
    }
  }

  /** Asks the run in progress to stop, in any process, and waits until it is over. @returns False when there is none. */
  async stop(signal: AbortSignal | undefined): Promise<boolean> {
    const { id, store } = this.#log;
    const { lease } = await store.records(id);
    if (lease === undefined || this.#observe(lease).state === "free") return false;
    await store.requestStop(id, lease.token);
    return await lookUntil(store, id, signal, async () => {
      const now = (await store.records(id)).lease;
      if (now?.token !== lease.token || !now.held) return { found: true };
      // The holder of an expired lease has died: its run was not in progress.
      const found = this.#observe(now);
      return found.state === "free" ? { found: false } : { againInMs: found.leftMs };
    });
  }

  /** Whether the holder of a lease is alive. This process finds out by watching the lease on its own clock. */
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
    // If the last look was long ago, the holder may have died soon after it.
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
    // Not from 0: when several processes try to take the same token, one succeeds, and the others must not give its lease back.
    beat: Math.floor(Math.random() * 2 ** 31),
    held: true,
    runId,
    durationMs,
    ...(process !== undefined && { process }),
  };
}

/** A run that is about to begin or to resume. */
export interface PreparedRun {
  readonly runId: string;
  readonly mode: "begin" | "resume";
  readonly entries: readonly NewEntry[];
  /** The run before it, in its last state. */
  readonly closes?: RunRecord | undefined;
}

/** `free`: no process holds it, or its holder is dead. `held`: it may be held; `renewedRecently` if it was seen to be renewed. */
export type LeaseFinding =
  | { readonly state: "free" }
  | {
      readonly state: "held";
      readonly lease: Lease;
      /** Milliseconds until it expires, unless it changes. */
      readonly leftMs: number;
      readonly renewedRecently: boolean;
    };
