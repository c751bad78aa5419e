import type { SessionStore } from "@pollux/core";

/** A store that does as another does, but for some of its functions. */
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

/** Processes that share a store, and can die: what one of them does after its death never happens, and the others know of it. */
export class Processes {
  readonly #store: SessionStore;
  readonly #dead: Set<number> = new Set();
  /** Those that others take for dead. */
  readonly #gone: Set<number> = new Set();
  #count = 0;

  constructor(store: SessionStore) {
    this.#store = store;
  }

  /** The store as one more process has it. */
  start(): {
    readonly store: SessionStore;
    /** From now on nothing of what it does happens. */
    readonly die: () => void;
    /** Others take it for dead from now on, although it goes on: as a process that was paused for long. */
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
