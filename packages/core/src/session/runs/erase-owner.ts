import { LeaseTaker } from "../lease/lease-taker.ts";
import { SessionLog } from "../log/session-log.ts";
import { causesOf } from "../store/causes-id.ts";
import type { SessionStore } from "../store/store.ts";

/** Options of `eraseOwner()`. */
export interface EraseOptions {
  /** The store of the sessions. */
  readonly store: SessionStore;
  /** The log that `keepExchanges` keeps for this process's runs, or a store of kept exchanges. @defaultValue none */
  readonly exchanges?: KeptLogs | SessionStore | undefined;
  /**
   * Removes what the application keeps. Called after the runs were stopped and before their sessions are removed; again if new sessions
   * began meanwhile.
   *
   * @returns How many it removed, by kind; they are added to the rest.
   */
  readonly also?:
    | ((owner: string, sessionIds: readonly string[]) => Promise<{ readonly [kind: string]: number } | void>)
    | undefined;
  /** Ends the wait for a run to stop: what is not removed by then stays. */
  readonly signal?: AbortSignal | undefined;
}

interface KeptLogs {
  /** Removes the log of a session, and returns how many exchanges were in it. */
  delete(sessionId: string): Promise<number>;
}

/** What was removed, by kind. */
export interface ErasedData {
  readonly [kind: string]: number;
  readonly sessions: number;
  /** Unfinished answers of processes that died. */
  readonly drafts: number;
  /** Sessions with notes of `sessionNotes`. */
  readonly notes: number;
  /** HTTP exchanges. */
  readonly exchanges: number;
  /** Runs that were stopped first. */
  readonly stoppedRuns: number;
}

/** The most sessions that are listed at once. */
const PAGE = 500;

/** Documented in `store-operations.ts`. */
export async function eraseOwner(owner: string, options: EraseOptions): Promise<ErasedData> {
  if (typeof owner !== "string" || owner === "") throw new TypeError("eraseOwner() needs an owner: a non-empty string");
  const { store, exchanges, also, signal } = options;
  const erased: { -readonly [Kind in keyof ErasedData]: number } = {
    sessions: 0,
    drafts: 0,
    notes: 0,
    exchanges: 0,
    stoppedRuns: 0,
  };
  for (let ids = await listIds(store, owner), isFirst = true; ids.length > 0 || isFirst; isFirst = false) {
    // In parallel: each may take until its lease has expired.
    const stopped = await Promise.all(ids.map((id) => new LeaseTaker(new SessionLog(store, id)).stop(signal)));
    erased.stoppedRuns += stopped.filter(Boolean).length;
    for (const [kind, count] of Object.entries((await also?.(owner, ids)) ?? {}))
      erased[kind] = (erased[kind] ?? 0) + count;
    for (const id of ids) {
      signal?.throwIfAborted();
      if (exchanges !== undefined && "load" in exchanges) {
        await exchanges.deleteSessions({ prefix: causesOf(id) });
        erased.exchanges += await eraseLog(exchanges, id);
      } else erased.exchanges += (await exchanges?.delete(id)) ?? 0;
      erased.notes += (await eraseLog(store, `notes:${id}`)) > 0 ? 1 : 0;
      erased.drafts += (await store.records(id)).draft === undefined ? 0 : 1;
      // Last, so that a retry after a failure finds everything else.
      await store.delete(id);
      erased.sessions += 1;
    }
    ids = await listIds(store, owner);
  }
  return erased;
}

async function listIds(store: SessionStore, owner: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let page = await store.list({ owner, limit: PAGE, order: "id" }); page.length > 0;) {
    ids.push(...page.map(({ id }) => id));
    page = await store.list({ owner, limit: PAGE, order: "id", after: page.at(-1) });
  }
  return ids;
}

/** @returns The number of its entries. */
async function eraseLog(store: SessionStore, id: string): Promise<number> {
  const { length } = await store.load(id);
  if (length > 0) await store.delete(id);
  return length;
}
