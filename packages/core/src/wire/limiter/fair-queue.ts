interface Group<T> {
  readonly key: unknown;
  readonly waiting: Line<T>;
  /** Its place among the groups. */
  turn: Place<Group<T>>;
}

/** Where someone waits in a {@link FairQueue}. */
export interface Seat<T> {
  readonly queue: FairQueue<T>;
  readonly group: Group<T>;
  readonly place: Place<T>;
}

/**
 * A queue of groups that take turns: one of each group, then one of each again; first in, first out inside a group. A group
 * that waits with a thousand is served as often as one that waits with one.
 */
export class FairQueue<T> {
  readonly #groups = new Map<unknown, Group<T>>();
  readonly #turns = new Line<Group<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @param key - Names the group: any value, told apart as a `Map` does. */
  push(key: unknown, value: T): Seat<T> {
    let group = this.#groups.get(key);
    if (group === undefined) {
      const made = { key, waiting: new Line<T>() };
      group = Object.assign(made, { turn: this.#turns.push(made as Group<T>) });
      this.#groups.set(key, group);
    }
    this.#size++;
    return { queue: this, group, place: group.waiting.push(value) };
  }

  /** The next in turn. */
  shift(): T | undefined {
    const group = this.#turns.shift();
    const value = group?.waiting.shift();
    if (group === undefined) return undefined;
    this.#size--;
    if (group.waiting.size > 0) group.turn = this.#turns.push(group);
    else this.#groups.delete(group.key);
    return value;
  }

  /** Does nothing for a seat that was left already. */
  remove({ queue, group, place }: Seat<T>): void {
    if (queue !== this || place.line !== group.waiting) return;
    group.waiting.remove(place);
    this.#size--;
    if (group.waiting.size > 0) return;
    this.#turns.remove(group.turn);
    this.#groups.delete(group.key);
  }
}

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
