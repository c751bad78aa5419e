/**
 * A queue of groups that take turns: one value of each group, then one of each again; first in, first out within a group. A group
 * with a thousand values is served as often as one with a single value.
 */
export class FairQueue<T> {
  readonly #groups = new Map<unknown, Group<T>>();
  readonly #turns = new LinkedList<Group<T>>();
  size = 0;

  /** @param key - Of the group: any value, compared as the keys of a `Map`. */
  push(key: unknown, value: T): QueuePosition<T> {
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { key, waiting: new LinkedList<T>(), turn: undefined };
      group.turn = this.#turns.push(group);
      this.#groups.set(key, group);
    }
    this.size++;
    return { queue: this, group, node: group.waiting.push(value) };
  }

  /** Removes the next value. */
  shift(): T | undefined {
    const group = this.#turns.shift();
    const value = group?.waiting.shift();
    if (group === undefined) return undefined;
    this.size--;
    if (group.waiting.size > 0) group.turn = this.#turns.push(group);
    else this.#groups.delete(group.key);
    return value;
  }

  /** Does nothing for a value that has already left the queue. */
  remove({ queue, group, node }: QueuePosition<T>): void {
    if (queue !== this || node.list !== group.waiting) return;
    group.waiting.remove(node);
    this.size--;
    if (group.waiting.size > 0) return;
    if (group.turn !== undefined) this.#turns.remove(group.turn);
    this.#groups.delete(group.key);
  }
}

/** Position of a value in a {@link FairQueue}, for {@link FairQueue.remove}. */
export interface QueuePosition<T> {
  readonly queue: FairQueue<T>;
  readonly group: Group<T>;
  readonly node: ListNode<T>;
}

interface Group<T> {
  readonly key: unknown;
  readonly waiting: LinkedList<T>;
  /** Its node among the groups. */
  turn: ListNode<Group<T>> | undefined;
}

/** First in, first out, with removal from anywhere. Everything but {@link LinkedList.toArray} takes constant time. */
export class LinkedList<T> {
  size = 0;
  #first: ListNode<T> | undefined;
  #last: ListNode<T> | undefined;

  get first(): T | undefined {
    return this.#first?.value;
  }

  push(value: T): ListNode<T> {
    const node: ListNode<T> = { value, list: this, before: this.#last, after: undefined };
    if (this.#last) this.#last.after = node;
    else this.#first = node;
    this.#last = node;
    this.size++;
    return node;
  }

  shift(): T | undefined {
    const first = this.#first;
    if (first) this.remove(first);
    return first?.value;
  }

  /** Does nothing for a node that was already removed. */
  remove(node: ListNode<T>): void {
    if (node.list !== this) return;
    node.list = undefined;
    this.size--;
    if (node.before) node.before.after = node.after;
    else this.#first = node.after;
    if (node.after) node.after.before = node.before;
    else this.#last = node.before;
    node.before = undefined;
    node.after = undefined;
  }

  /** A copy, first to last. */
  toArray(): T[] {
    const all: T[] = [];
    for (let node = this.#first; node; node = node.after) all.push(node.value);
    return all;
  }
}

/** Node of a {@link LinkedList}, for {@link LinkedList.remove}. */
export interface ListNode<T> {
  readonly value: T;
  /** Undefined once it was removed. */
  list: LinkedList<T> | undefined;
  before: ListNode<T> | undefined;
  after: ListNode<T> | undefined;
}
