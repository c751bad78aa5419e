/** How many lines lie between two places that are remembered. */
const STRIDE = 64;

/** A place between two lines of a file. */
export interface Place {
  /** Lines before it. */
  readonly line: number;
  /** Bytes before it. */
  readonly byte: number;
}

const START: Place = { line: 0, byte: 0 };

/** What is known of a file that only grows: where its whole appends end, and where some of its lines begin. */
export class KnownPlaces {
  /** After the last whole append. */
  end: Place = START;
  /** Every 64th line or so, in order. */
  readonly #places: Place[] = [START];

  /** The last known place before a line. */
  before(line: number): Place {
    if (line >= this.end.line) return this.end;
    let low = 0;
    let high = this.#places.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#places[middle] ?? START).line <= line) low = middle;
      else high = middle;
    }
    return this.#places[low] ?? START;
  }

  /** Takes note of lines that were seen. @param ends - Where they end, in bytes after `from`. */
  saw(from: Place, ends: readonly number[]): void {
    let last = this.#places.at(-1) ?? START;
    for (const [index, bytes] of ends.entries()) {
      const place = { line: from.line + index + 1, byte: from.byte + bytes };
      if (place.line > this.end.line) this.end = place;
      if (place.line >= last.line + STRIDE) this.#places.push((last = place));
    }
  }
}
