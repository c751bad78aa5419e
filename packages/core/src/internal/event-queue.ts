/** How many values may wait for the reader before writers wait too. */
const ROOM = 64;

/**
 * A bounded queue from many writers to one reader, so that a slow reader slows its writers down.
 *
 * A closed queue drops what is written and holds nobody up: no writer hangs on a reader who left.
 */
export class EventQueue<T> {
  #waiting: T[] = [];
  #closed = false;
  #ended = false;
  /** The reader, while it waits. */
  #reader: ((values: readonly T[] | undefined) => void) | undefined;
  /** Writers that wait for room. */
  #wakeWriters: (() => void)[] = [];
  /** Writers that wait until what they wrote, and is now with the reader, has been read. */
  #wakeInStep: (() => void)[] = [];
  /** The same for values that are still here. */
  #inStep: (() => void)[] = [];

  /** Adds a value. A promise means that there is no room left: it resolves when there is. */
  write(value: T): void | Promise<void> {
    if (this.#closed) return;
    if (this.#reader !== undefined) {
      this.#reader([value]);
      this.#reader = undefined;
      return;
    }
    this.#waiting.push(value);
    if (this.#waiting.length < ROOM) return;
    return new Promise((resolve) => this.#wakeWriters.push(resolve));
  }

  /** Adds a value, and resolves when the reader has read it and asks for more. */
  writeInStep(value: T): void | Promise<void> {
    if (this.#closed) return;
    if (this.#reader !== undefined) {
      this.#reader([value]);
      this.#reader = undefined;
      return new Promise((resolve) => this.#wakeInStep.push(resolve));
    }
    this.#waiting.push(value);
    return new Promise((resolve) => this.#inStep.push(resolve));
  }

  /**
   * Everything that waits, oldest first, or a promise of what comes next; `undefined` when nothing more will come. Says that all
   * values given before have been read. Only one reader may wait.
   */
  next(): readonly T[] | undefined | Promise<readonly T[] | undefined> {
    for (const wake of this.#wakeInStep) wake();
    this.#wakeInStep = this.#inStep;
    this.#inStep = [];
    const values = this.#waiting;
    if (values.length === 0) {
      if (this.#ended || this.#closed) return undefined;
      return new Promise((resolve) => (this.#reader = resolve));
    }
    this.#waiting = [];
    const writers = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of writers) wake();
    return values;
  }

  /** Nothing more will be written. */
  end(): void {
    this.#ended = true;
    this.#reader?.(undefined);
  }

  /** The reader has left. */
  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#reader?.(undefined);
    for (const writers of [this.#wakeWriters, this.#wakeInStep, this.#inStep]) for (const wake of writers) wake();
  }
}
