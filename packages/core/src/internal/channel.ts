/** How many values may wait for the reader before `send` waits too. */
const ROOM = 64;

const SENT = Promise.resolve();

/**
 * A bounded queue from many writers to one reader.
 *
 * `send` resolves when there is room, so a slow reader slows its writers down; after {@link Channel.close} it resolves
 * at once and the value is dropped, so no writer ever hangs on a reader who left.
 */
export class Channel<T> {
  #waiting: T[] = [];
  #closed = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriters: (() => void)[] = [];

  send(value: T): Promise<void> {
    if (this.#closed) return SENT;
    this.#waiting.push(value);
    this.#wakeReader?.();
    if (this.#waiting.length < ROOM) return SENT;
    return new Promise((resolve) => this.#wakeWriters.push(resolve));
  }

  /** Everything that waits, oldest first; makes room. */
  take(): T[] {
    const taken = this.#waiting;
    if (taken.length === 0) return taken;
    this.#waiting = [];
    this.#freeWriters();
    return taken;
  }

  /** Calls back once, when a value arrives. Only one reader may wait. */
  onValue(wake: () => void): void {
    this.#wakeReader = wake;
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#wakeReader = undefined;
    this.#freeWriters();
  }

  #freeWriters(): void {
    const writers = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of writers) wake();
  }
}

/** Yields what arrives in the channel while `work` runs, then gives back what `work` gave. Rejects as `work` does, after yielding what came before. */
export async function* during<T, Result>(work: Promise<Result>, channel: Channel<T>): AsyncGenerator<T, Result, void> {
  let ended = false;
  const settled = work.then(
    () => void (ended = true),
    () => void (ended = true),
  );
  for (;;) {
    const taken = channel.take();
    yield* taken;
    // More may have come while these were read, and their writers may wait for room: nobody would wake this reader.
    if (taken.length > 0) continue;
    if (ended) break;
    await Promise.race([settled, new Promise<void>((resolve) => channel.onValue(resolve))]);
  }
  yield* channel.take();
  return await work;
}
