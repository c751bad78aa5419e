/** Where someone stands in a {@link Line}; to be given back to {@link Line.remove}. */
export interface Place<T> {
  readonly value: T;
  /** Not set once it has left. */
  line: Line<T> | undefined;
  before: Place<T> | undefined;
  after: Place<T> | undefined;
}

/** First in, first out, and whoever stands in it may leave from anywhere. Everything but reading it takes constant time. */
export class Line<T> {
  #size = 0;
  #first: Place<T> | undefined;
  #last: Place<T> | undefined;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first?.value;
  }

  push(value: T): Place<T> {
    const place: Place<T> = { value, line: this, before: this.#last, after: undefined };
    if (this.#last) this.#last.after = place;
    else this.#first = place;
    this.#last = place;
    this.#size++;
    return place;
  }

  shift(): T | undefined {
    const first = this.#first;
    if (first) this.remove(first);
    return first?.value;
  }

  /** Does nothing for a place that was left already. */
  remove(place: Place<T>): void {
    if (place.line !== this) return;
    place.line = undefined;
    this.#size--;
    if (place.before) place.before.after = place.after;
    else this.#first = place.after;
    if (place.after) place.after.before = place.before;
    else this.#last = place.before;
    place.before = undefined;
    place.after = undefined;
  }

  /** A copy, first to last. */
  toArray(): T[] {
    const all: T[] = [];
    for (let place = this.#first; place; place = place.after) all.push(place.value);
    return all;
  }
}
