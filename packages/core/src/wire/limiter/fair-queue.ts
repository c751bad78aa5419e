/**
 * A queue of groups that take turns: one value of each group, then one of each again; first in, first out within a group. A group
 * with a thousand values is served as often as one with a single value. Each value is in it once.
 */
export class FairQueue<T> {
  size = 0;
  readonly #groups = new Map<unknown, Line<T>>();
  readonly #turns = new Line<unknown>();

  /** @param key - Of the group: any value, compared as the keys of a `Map`. */
  push(key: unknown, value: T): void {
    const group = this.#groups.get(key) ?? new Line<T>();
    this.#groups.set(key, group);
    this.#turns.add(key);
    group.add(value);
    this.size++;
  }

  /** Removes the next value. */
  shift(): T | undefined {
    const key = this.#turns.shift();
    const group = this.#groups.get(key);
    const value = group?.shift();
    if (group === undefined) return undefined;
    this.size--;
    if (group.size > 0) this.#turns.add(key);
    else this.#groups.delete(key);
    return value;
  }

  /** Does nothing for a value that has already left the queue. */
  remove(key: unknown, value: T): void {
    const group = this.#groups.get(key);
    if (group?.delete(value) !== true) return;
    this.size--;
    if (group.size > 0) return;
    this.#turns.delete(key);
    this.#groups.delete(key);
  }
}

/** A set whose first value can be taken out, in constant time. */
class Line<T> extends Set<T> {
  /** Goes on where it was: a new one would step over every value that has left. */
  #rest = this.values();

  shift(): T | undefined {
    let first = this.#rest.next();
    if (first.done === true) first = (this.#rest = this.values()).next();
    if (first.done === true) return undefined;
    this.delete(first.value);
    return first.value;
  }
}
