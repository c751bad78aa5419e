import type { SessionStore } from "@pollux/core";

/** A copy of a store with some functions replaced. */
export function storeLike(store: SessionStore, changed: Partial<SessionStore>): SessionStore {
  return {
    load: (...args) => store.load(...args),
    append: (...args) => store.append(...args),
    list: (...args) => store.list(...args),
    delete: (...args) => store.delete(...args),
    deleteSessions: (...args) => store.deleteSessions(...args),
    records: (...args) => store.records(...args),
    setLease: (...args) => store.setLease(...args),
    setDraft: (...args) => store.setDraft(...args),
    requestStop: (...args) => store.requestStop(...args),
    ...(store.watch !== undefined && { watch: (...args) => store.watch?.(...args) ?? (() => {}) }),
    ...(store.processes !== undefined && { processes: store.processes }),
    ...changed,
  };
}

/** Processes that share a store, and can die: nothing that a process does after its death happens, and the others know that it is dead. */
export class Processes {
  readonly #store: SessionStore;
  readonly #dead: Set<number> = new Set();
  /** Processes that others take for dead. */
  readonly #gone: Set<number> = new Set();
  #count = 0;

  constructor(store: SessionStore) {
    this.#store = store;
  }

  /** The store as seen by one more process. */
  start(): {
    readonly store: SessionStore;
    /** From now on, nothing that the process does happens. */
    readonly die: () => void;
    /** From now on, others take the process for dead although it continues, as if it had been paused for long. */
    readonly seemDead: () => void;
  } {
    const self = ++this.#count;
    const alive = <Result>(work: () => Promise<Result>): Promise<Result> =>
      this.#dead.has(self) ? new Promise(() => {}) : work();
    const store = this.#store;
    return {
      store: {
        load: (...args) => alive(() => store.load(...args)),
        append: (...args) => alive(() => store.append(...args)),
        list: (...args) => alive(() => store.list(...args)),
        delete: (...args) => alive(() => store.delete(...args)),
        deleteSessions: (...args) => alive(() => store.deleteSessions(...args)),
        records: (...args) => alive(() => store.records(...args)),
        setLease: (...args) => alive(() => store.setLease(...args)),
        setDraft: (...args) => alive(() => store.setDraft(...args)),
        requestStop: (...args) => alive(() => store.requestStop(...args)),
        watch: (id, onChange) => store.watch?.(id, () => this.#dead.has(self) || onChange()) ?? (() => {}),
        processes: { self, isGone: (process) => this.#gone.has(Number(process)) },
      },
      die: () => {
        this.#dead.add(self);
        this.#gone.add(self);
      },
      seemDead: () => void this.#gone.add(self),
    };
  }
}
