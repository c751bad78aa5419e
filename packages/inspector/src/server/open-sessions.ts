import type { Json, SessionRecords, SessionStore } from "@pollux/core";
import { ExchangeFold } from "../inspection/exchange-fold.ts";
import type { Measures } from "../inspection/run-fold.ts";
import { readableEntry, SessionFold } from "../inspection/session-fold.ts";
import type { LeaseWatch } from "./lease-watch.ts";
import { readTail, TAIL } from "./read-tail.ts";

/** Most sessions in memory. */
const MAX_OPEN = 8;
/** Most entries of all of them; the latest session stays, no matter how long. */
const MAX_ENTRIES = 200_000;

/** Where open sessions read from. */
export interface OpenedFrom {
  readonly store: SessionStore;
  readonly exchanges: SessionStore | undefined;
  readonly measures: Measures;
  readonly leases: LeaseWatch;
  /** Entries to read at first from a long log. @defaultValue {@link TAIL} */
  readonly tail?: number | undefined;
}

/** A session in memory. Each refresh reads the entries written since the last one. */
export class OpenSession {
  readonly id: string;
  fold: SessionFold;
  exchanges: ExchangeFold;
  records: SessionRecords = {};
  readonly #from: OpenedFrom;
  /** A request needed more than the end of the log. */
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
   * Reads new entries. Requests that arrive during a read share the next one.
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

  /** True for an active run. */
  isRunning(): boolean {
    return this.#from.leases.isHeld(this.id, this.records);
  }

  async #read(): Promise<void> {
    const { store, exchanges, measures, tail: size = TAIL } = this.#from;
    // The records first, so that the log shows whether the step of a draft has ended.
    const records = await store.records(this.id);
    if (this.#isWhole && this.fold.before !== undefined) this.fold = new SessionFold(this.id, measures);
    const isNew = this.fold.length === 0 && !this.#isWhole;
    const tail = isNew ? await readTail(store, this.id, measures, size) : undefined;
    if (tail !== undefined) this.fold = tail;
    else for (const entry of await this.#loadNext(store, this.fold)) this.fold.add(entry);
    this.records = records;
    // Kept exchanges build on earlier ones, so they need the whole log.
    if (exchanges === undefined || this.fold.before !== undefined) return;
    this.exchanges.add(await this.#loadNext(exchanges, this.exchanges));
    this.fold.addExchanges(this.exchanges);
  }

  /** New entries; or all of them, if the log was deleted and started over since. */
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

/** The most recently opened sessions. */
export class OpenSessions {
  readonly #open: Map<string, OpenSession> = new Map();
  readonly #make: (id: string) => OpenSession;

  constructor(from: OpenedFrom) {
    this.#make = (id) => new OpenSession(id, from);
  }

  /**
   * The session as it is now; undefined when there is none with this id.
   *
   * @param isWhole - Otherwise, it may have only the end of a long log, and no exchanges.
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
