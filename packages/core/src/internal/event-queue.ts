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
  #wakeReader: (() => void) | undefined;
  /** Writers that wait for room. */
  #wakeWriters: (() => void)[] = [];
  /** Writers that wait until what they wrote, and is now with the reader, has been read. */
  #wakeInStep: (() => void)[] = [];
  /** The same for values that are still here. */
  #inStep: (() => void)[] = [];

  /** Adds a value. A promise means that there is no room left: it resolves when there is. */
  write(value: T): void | Promise<void> {
    if (this.#closed) return;
    this.#waiting.push(value);
    this.#wakeReader?.();
    if (this.#waiting.length < ROOM) return;
    return new Promise((resolve) => this.#wakeWriters.push(resolve));
  }

  /** Adds a value, and resolves when the reader has read it and asks for more. */
  writeInStep(value: T): void | Promise<void> {
    if (this.#closed) return;
    this.#waiting.push(value);
    this.#wakeReader?.();
    return new Promise((resolve) => this.#inStep.push(resolve));
  }

  /** Everything that waits, oldest first; says that all values taken before have been read. */
  take(): readonly T[] {
    wakeAll(this.#wakeInStep);
    this.#wakeInStep = this.#inStep;
    this.#inStep = [];
    const taken = this.#waiting;
    if (taken.length === 0) return [];
    this.#waiting = [];
    const writers = this.#wakeWriters;
    this.#wakeWriters = [];
    wakeAll(writers);
    return taken;
  }

  /** Resolves when a value waits or nothing more will come. Only one reader may wait. */
  async arrival(): Promise<void> {
    if (this.#waiting.length > 0 || this.#ended) return;
    await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    this.#wakeReader = undefined;
  }

  /** True when nothing waits and nothing more will come. */
  get isDone(): boolean {
    return this.#ended && this.#waiting.length === 0;
  }

  /** Nothing more will be written. */
  end(): void {
    this.#ended = true;
    this.#wakeReader?.();
  }

  /** The reader has left. */
  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#wakeReader?.();
    for (const writers of [this.#wakeWriters, this.#wakeInStep, this.#inStep]) wakeAll(writers);
  }
}

function wakeAll(writers: readonly (() => void)[]): void {
  for (const wake of writers) wake();
}
