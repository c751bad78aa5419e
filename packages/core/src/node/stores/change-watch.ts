/** How often to look for changes by others, in milliseconds. */
const EVERY_MS = 500;

interface Watched {
  readonly listeners: Set<() => void>;
  /** As it was when last looked at. */
  signature: string;
}

/**
 * Tells those who watch sessions of one store object about changes: of this object at once, of others by looking twice a second, only
 * while somebody watches. Does not keep the process alive.
 */
export class ChangeWatch {
  readonly #signatureOf: (id: string) => string;
  readonly #mayHaveChanged: () => boolean;
  readonly #watched: Map<string, Watched> = new Map();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** A session could not be looked at. */
  #missed = false;

  /**
   * @param signatureOf - Another text after each change of a session. When it throws, the next look finds the change.
   * @param mayHaveChanged - False when nothing has changed at all since it was last called.
   */
  constructor(signatureOf: (id: string) => string, mayHaveChanged: () => boolean = () => true) {
    this.#signatureOf = signatureOf;
    this.#mayHaveChanged = mayHaveChanged;
  }

  /** @returns Ends it. */
  watch(id: string, onChange: () => void): () => void {
    const watched = this.#watched.get(id) ?? { listeners: new Set(), signature: this.#sign(id) ?? "" };
    // The same function may watch twice.
    const listener = (): void => onChange();
    watched.listeners.add(listener);
    this.#watched.set(id, watched);
    this.#timer ??= setInterval(() => this.#look(), EVERY_MS).unref();
    return () => {
      watched.listeners.delete(listener);
      if (watched.listeners.size === 0 && this.#watched.get(id) === watched) this.#watched.delete(id);
      if (this.#watched.size === 0) this.end();
    };
  }

  /** Tells of a change that was made through this store object. */
  changed(id: string): void {
    const watched = this.#watched.get(id);
    if (watched === undefined) return;
    // What others changed until now is told as well.
    watched.signature = this.#sign(id) ?? watched.signature;
    tell(watched);
  }

  /** Stops looking. */
  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    try {
      if (!this.#mayHaveChanged() && !this.#missed) return;
    } catch {
      return; // the next look may go better
    }
    this.#missed = false;
    for (const [id, watched] of this.#watched) {
      const signature = this.#sign(id) ?? watched.signature;
      if (signature === watched.signature) continue;
      watched.signature = signature;
      tell(watched);
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

function tell({ listeners }: Watched): void {
  for (const listener of listeners)
    queueMicrotask(() => {
      // It may have stopped watching since.
      if (listeners.has(listener)) listener();
    });
}
