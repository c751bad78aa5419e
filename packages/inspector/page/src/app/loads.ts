/** Data that is loading, has loaded or failed to load. */
export interface Load<T> {
  readonly value?: T | undefined;
  readonly error?: Error | undefined;
}

interface Entry {
  readonly promise: Promise<unknown>;
  load: Load<unknown>;
}

const MAX_ENTRIES = 64;

/** The most recently used data, by key. */
export class Loads {
  readonly #entries: Map<string, Entry> = new Map();

  /** Loads data unless it is loaded or loading. */
  fetch<T>(key: string, load: () => Promise<T>): Promise<T> {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const promise = load();
      const created: Entry = { promise, load: {} };
      promise.then(
        (value) => (created.load = { value }),
        () => this.#entries.delete(key),
      );
      entry = created;
    }
    // Moves it to the end of the order of use.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > MAX_ENTRIES) this.#entries.delete(this.#entries.keys().next().value ?? "");
    // A key always stands for the same type.
    return entry.promise as Promise<T>;
  }

  /** The data, if already loaded. */
  peek<T>(key: string): Load<T> | undefined {
    // A key always stands for the same type.
    return this.#entries.get(key)?.load as Load<T> | undefined;
  }
}
