import type { Json, SessionRecords, SessionStore } from "@pollux/core";
import { ExchangeFold } from "../inspection/exchange-fold.ts";
import type { Measures } from "../inspection/run-fold.ts";
import { readableEntry, SessionFold } from "../inspection/session-fold.ts";
import type { LeaseWatch } from "./lease-watch.ts";
import { readTail, TAIL } from "./read-tail.ts";

/** Sessions whose logs are kept in memory. */
const MAX_OPEN = 8;
/** Entries of all of them; the one that was asked for last stays, however long it is. */
const MAX_ENTRIES = 200_000;

/** What open sessions read. */
export interface OpenedFrom {
  readonly store: SessionStore;
  readonly exchanges: SessionStore | undefined;
  readonly measures: Measures;
  readonly leases: LeaseWatch;
  /** Entries that a first look reads of a long log. @defaultValue {@link TAIL} */
  readonly tail?: number | undefined;
}

/** A session whose log was read. Later looks read what was written since. */
export class OpenSession {
  readonly id: string;
  fold: SessionFold;
  exchanges: ExchangeFold;
  records: SessionRecords = {};
  readonly #from: OpenedFrom;
  /** Somebody asked for more than the end of the log. */
  #isWhole = false;
  #reading: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(id: string, from: OpenedFrom) {
    this.id = id;
    this.#from = from;
    this.fold = new SessionFold(id, from.measures);
    this.exchanges = new ExchangeFold(from.measures);
  }

  get size(): number {
    return this.fold.length + this.exchanges.length;
  }

  /**
   * Reads what is new. Looks that come during a read share the next one.
   *
   * @param isWhole - The end of a long log is not enough.
   */
  async refresh(isWhole: boolean): Promise<void> {
    this.#isWhole ||= isWhole;
    if (this.#reading === undefined) {
      this.#reading = this.#read().finally(() => (this.#reading = undefined));
      return await this.#reading;
    }
    this.#next ??= this.#reading
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.refresh(isWhole);
      });
    await this.#next;
  }

  /** A run is known to be going. */
  isRunning(): boolean {
    return this.#from.leases.isHeld(this.id, this.records);
  }

  async #read(): Promise<void> {
    const { store, exchanges, measures, tail: size = TAIL } = this.#from;
    // The records first: a draft of a step that has ended meanwhile is recognized by the log.
    const records = await store.records(this.id);
    if (this.#isWhole && this.fold.before !== undefined) this.fold = new SessionFold(this.id, measures);
    const isNew = this.fold.length === 0 && !this.#isWhole;
    const tail = isNew ? await readTail(store, this.id, measures, size) : undefined;
    if (tail !== undefined) this.fold = tail;
    else for (const entry of await this.#loadNext(store, this.fold)) this.fold.add(entry);
    this.records = records;
    // What was kept of requests stands on what was kept before.
    if (exchanges === undefined || this.fold.before !== undefined) return;
    this.exchanges.add(await this.#loadNext(exchanges, this.exchanges));
    this.fold.addExchanges(this.exchanges);
  }

  /** What was written since, or all of it when the log is not the one that was read: it was deleted, and begun again. */
  async #loadNext(store: SessionStore, known: SessionFold | ExchangeFold): Promise<readonly Json[]> {
    const { length } = known;
    if (length === 0) return await store.load(this.id);
    const [last, ...entries] = await store.load(this.id, length - 1);
    if (JSON.stringify(readableEntry(last)) === JSON.stringify(known.entries[length - 1])) return entries;
    if (known === this.fold) this.fold = new SessionFold(this.id, this.#from.measures);
    else this.exchanges = new ExchangeFold(this.#from.measures);
    return await store.load(this.id);
  }
}

/** The sessions that were looked at last. */
export class OpenSessions {
  readonly #open: Map<string, OpenSession> = new Map();
  readonly #make: (id: string) => OpenSession;

  constructor(from: OpenedFrom) {
    this.#make = (id) => new OpenSession(id, from);
  }

  /**
   * As it is now. Undefined when there is nothing under this id.
   *
   * @param isWhole - Otherwise it may have the end of a long log only, and no exchanges.
   */
  async open(id: string, isWhole: boolean = true): Promise<OpenSession | undefined> {
    const session = this.#open.get(id) ?? this.#make(id);
    await session.refresh(isWhole);
    if (session.size === 0) {
      this.#open.delete(id);
      return undefined;
    }
    this.#open.delete(id);
    this.#open.set(id, session);
    this.#forget();
    return session;
  }

  #forget(): void {
    let entries = 0;
    for (const session of this.#open.values()) entries += session.size;
    for (const [id, session] of this.#open) {
      if (this.#open.size <= 1 || (this.#open.size <= MAX_OPEN && entries <= MAX_ENTRIES)) return;
      this.#open.delete(id);
      entries -= session.size;
    }
  }
}
