interface Seen {
  readonly version: string;
  /** Lines read without a gap from the first; `Infinity` once the end has been reached. */
  readonly lines: number;
}

/**
 * Files that have been read to their end, by version: {@link writeFile} may replace these. Kept in memory for the newest
 * 10,000 files.
 */
export class SeenFiles {
  readonly #files = new Map<string, Seen>();

  /** @internal Lines `first` to `last` were sent to the model; `atEnd` if nothing follows. */
  read(real: string, version: string, page: { first: number; last: number; atEnd: boolean }): void {
    const known = this.#files.get(real);
    const before = known?.version === version ? known.lines : 0;
    if (page.first > before + 1) return;
    this.#set(real, { version, lines: page.atEnd ? Number.POSITIVE_INFINITY : Math.max(before, page.last) });
  }

  /** @internal Whether all of this version has been read. */
  has(real: string, version: string): boolean {
    const known = this.#files.get(real);
    return known?.version === version && known.lines === Number.POSITIVE_INFINITY;
  }

  /** @internal The model knows the whole file, which it has just written. */
  wrote(real: string, version: string): void {
    this.#set(real, { version, lines: Number.POSITIVE_INFINITY });
  }

  #set(real: string, seen: Seen): void {
    this.#files.delete(real);
    this.#files.set(real, seen);
    const oldest = this.#files.keys().next();
    if (this.#files.size > 10_000 && oldest.done !== true) this.#files.delete(oldest.value);
  }
}
