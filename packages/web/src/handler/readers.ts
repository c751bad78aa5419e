import type { Lease, SessionStore } from "@pollux/core";
import type { GoingRun } from "./going-run.ts";

/** How long to wait for a reader to leave, in milliseconds: the store learns late of one that leaves another process. */
const LEAVING_MS = 1_000;

const LOOK_MS = 50;

/** How many times readers are counted within the time after which a run is aborted. */
const LOOKS = 10;

/** A process that has readers. `process` is how the store's `ProcessKnowledge` identifies it; null without one. */
type ReadingProcess = { readonly id: string; readonly process: NonNullable<Lease["process"]> | null };

/** The readers of one conversation in this process. */
interface Here {
  count: number;
  runId: string;
  /** The run for which the store lists this process. */
  storedRun: string | undefined;
  writing: Promise<void> | undefined;
}

/**
 * Knows who reads the answers of conversations, in all processes that use the store. For each conversation, the store lists the processes
 * with readers: in the lease of a session without entries, since that is the one record of a store that any process may change by
 * compare-and-set. The lease names the run that is read, so that what a dead process leaves there doesn't count for the next run.
 */
export class Readers {
  readonly #store: SessionStore;
  readonly #id: string = crypto.randomUUID();
  readonly #here: Map<string, Here> = new Map();

  constructor(store: SessionStore) {
    this.#store = store;
  }

  /** Counts a reader in. @returns Called when it has left, once or more. */
  enter(session: string, runId: string): () => void {
    const here = this.#here.get(session) ?? { count: 0, runId, storedRun: undefined, writing: undefined };
    this.#here.set(session, here);
    here.count += 1;
    here.runId = runId;
    here.writing ??= this.#writeLatest(session, here);
    let isHere = true;
    return () => {
      if (!isHere) return;
      isHere = false;
      here.count -= 1;
      here.writing ??= this.#writeLatest(session, here);
    };
  }

  /** Whether anybody reads a conversation. @param runId - The answer of this run. @defaultValue the last that was read */
  async any(session: string, runId?: string): Promise<boolean> {
    if ((this.#here.get(session)?.count ?? 0) > 0) return true;
    const { lease } = await this.#store.records(recordOf(session));
    return this.#othersIn(lease, runId ?? lease?.runId).length > 0;
  }

  /** Whether nobody reads the answer of a run, once readers have had a moment to leave. @throws The signal's reason. */
  async none(session: string, runId: string, signal: AbortSignal): Promise<boolean> {
    for (let waitedMs = 0; await this.any(session, runId); waitedMs += LOOK_MS) {
      signal.throwIfAborted();
      if (waitedMs >= LEAVING_MS) return false;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    return true;
  }

  /** Aborts a run once nobody has read its answer for so many milliseconds, here or in another process. */
  abortWhenLeft(session: string, run: GoingRun, afterMs: number): void {
    let looks = 0;
    let isLooking = false;
    const look = async (): Promise<void> => {
      // There is nothing to be read of a run that waits for its turn.
      if (isLooking || !run.hasBegun) return;
      isLooking = true;
      // A store that fails says nothing about readers.
      const isRead = await this.any(session).catch(() => true);
      isLooking = false;
      looks = isRead ? 0 : looks + 1;
      if (looks >= LOOKS) run.abort();
    };
    const timer = setInterval(() => void look(), afterMs / LOOKS);
    void run.over.then(() => clearInterval(timer));
  }

  /** Forgets a conversation that was deleted. */
  async forget(session: string): Promise<void> {
    await this.#store.delete(recordOf(session));
  }

  /** Resolves when the store knows who reads a conversation here. @param session - Which. @defaultValue all */
  async written(session?: string): Promise<void> {
    const all = session === undefined ? [...this.#here.values()] : [this.#here.get(session)];
    await Promise.all(all.map(async (here) => await here?.writing));
  }

  async #writeLatest(session: string, here: Here): Promise<void> {
    // A reader that comes and goes at once is not reported.
    await Promise.resolve();
    try {
      for (;;) {
        const runId = here.count > 0 ? here.runId : undefined;
        if (here.storedRun === runId) return;
        await this.#write(recordOf(session), runId);
        here.storedRun = runId;
      }
    } catch {
      // It must not disturb readers, and is retried with the next change. Other code reports a failing store.
    } finally {
      here.writing = undefined;
      if (here.count === 0 && this.#here.get(session) === here) this.#here.delete(session);
    }
  }

  /** @param runId - Undefined when nobody reads here anymore. */
  async #write(record: string, runId: string | undefined): Promise<void> {
    for (;;) {
      const { lease } = await this.#store.records(record);
      const others = this.#othersIn(lease, runId ?? lease?.runId);
      if (runId === undefined && others.length === 0) return await this.#store.delete(record);
      const self = { id: this.#id, process: this.#store.processes?.self ?? null };
      const next: Lease = {
        token: 1,
        beat: (lease?.beat ?? 0) + 1,
        held: true,
        runId: runId ?? lease?.runId ?? "",
        durationMs: 0,
        process: runId === undefined ? others : [...others, self],
      };
      if (await this.#store.setLease(record, lease, next)) return;
    }
  }

  #othersIn(lease: Lease | undefined, runId: string | undefined): readonly ReadingProcess[] {
    if (lease === undefined || lease.runId !== runId) return [];
    // As it is written here.
    const others = ((lease.process ?? []) as readonly ReadingProcess[]).filter(({ id }) => id !== this.#id);
    return others.filter(({ process }) => this.#store.processes?.isGone(process) !== true);
  }
}

/** The session that has no entries. No conversation's id can begin with this. */
function recordOf(session: string): string {
  return `pollux:readers/${session}`;
}
