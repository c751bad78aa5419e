/** How often to look for changes by others, in milliseconds. */
const EVERY_MS = 500;

interface Watched {
  readonly listeners: Set<() => void>;
  /** The signature at the last poll. */
  signature: string;
}

/**
 * Notifies listeners of changes to the sessions of one store object: its own changes at once, others by polling twice a second, only while
 * somebody watches. Does not keep the process alive.
 */
export class ChangeWatch {
  readonly #signatureOf: (id: string) => string;
  readonly #mayHaveChanged: () => boolean;
  readonly #watched: Map<string, Watched> = new Map();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** A session could not be read. */
  #missed = false;

  /**
   * @param signatureOf - A different text after each change of a session. If it throws, the next poll finds the change.
   * @param mayHaveChanged - False when nothing has changed at all since it was last called.
   */
  constructor(signatureOf: (id: string) => string, mayHaveChanged: () => boolean = () => true) {
    this.#signatureOf = signatureOf;
    this.#mayHaveChanged = mayHaveChanged;
  }

  /** @returns Stops watching. */
  watch(id: string, onChange: () => void): () => void {
    const watched = this.#watched.get(id) ?? { listeners: new Set(), signature: this.#sign(id) ?? "" };
    // The same function may watch twice.
    const listener = (): void => onChange();
    watched.listeners.add(listener);
    this.#watched.set(id, watched);
    this.#timer ??= setInterval(() => this.#poll(), EVERY_MS).unref();
    return () => {
      watched.listeners.delete(listener);
      if (watched.listeners.size === 0 && this.#watched.get(id) === watched) this.#watched.delete(id);
      if (this.#watched.size === 0) this.end();
    };
  }

  /** Reports a change that was made through this store object. */
  changed(id: string): void {
    const watched = this.#watched.get(id);
    if (watched === undefined) return;
    // This also covers changes by others until now.
    watched.signature = this.#sign(id) ?? watched.signature;
    notify(watched);
  }

  /** Stops polling. */
  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #poll(): void {
    try {
      if (!this.#mayHaveChanged() && !this.#missed) return;
    } catch {
      return; // the next poll may succeed
    }
    this.#missed = false;
    for (const [id, watched] of this.#watched) {
      const signature = this.#sign(id) ?? watched.signature;
      if (signature === watched.signature) continue;
      watched.signature = signature;
      notify(watched);
    }
  }

  #sign(id: string): string | undefined {
    try {
      return this.#signatureOf(id);
    } catch {
      this.#missed = true;
      return undefined;
    }
  }
}

function notify({ listeners }: Watched): void {
  for (const listener of listeners)
    queueMicrotask(() => {
      // It may have stopped watching since.
      if (listeners.has(listener)) listener();
    });
}
