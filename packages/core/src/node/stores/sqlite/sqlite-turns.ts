import { randomUUID } from "node:crypto";
import { realpathSync } from "node:fs";
import { startTimer } from "../../../internal/abort.ts";
import { isBusy } from "./sqlite-database.ts";

/** Tries in consecutive steps of the event loop before the first pause: most writes of others are over in less than a millisecond. */
const QUICK_TRIES = 50;

/** Shortest and longest pause between two later tries, in milliseconds. */
const [MIN_PAUSE_MS, MAX_PAUSE_MS] = [1, 10];

/** When a wait ends early. */
export interface TurnOptions {
  /** How long to wait for other processes, in milliseconds. */
  readonly waitMs: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

interface Waiting {
  /** On the monotonic clock. */
  readonly until: number;
  /** Does the work. @throws What the work throws. */
  readonly attempt: () => void;
  readonly fail: (reason: unknown) => void;
  /** Called when it no longer waits. */
  readonly left: () => void;
}

/** Each is here only while a call waits in it. Shared by all stores of the process, since a lock keeps all of them waiting. */
const queues = new Map<string, TurnQueue>();

/**
 * Reads or writes a file, synchronously, as soon as no other process has it locked: at once if possible, or else in the order of the
 * calls. However many calls wait for a file, one tries for all of them, and the event loop is free between two tries.
 *
 * @param place - The file, from {@link placeOf}.
 * @throws What the work throws; the signal's reason; SQLite's error when the file is still locked at the end of the wait.
 */
export async function takeTurn<Result>(
  kind: "read" | "write",
  place: string,
  options: TurnOptions,
  work: () => Result,
): Promise<Result> {
  options.signal?.throwIfAborted();
  const name = `${kind} ${place}`;
  let queue = queues.get(name);
  if (queue === undefined) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || options.waitMs <= 0) throw error;
    }
    queue = new TurnQueue(() => queues.delete(name));
    queues.set(name, queue);
  }
  return await queue.wait(options, work);
}

/** The same text for every name of a file; another one each time for what is not a file. */
export function placeOf(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    return randomUUID();
  }
}

/** Calls that wait for one lock. */
class TurnQueue {
  readonly #onEmpty: () => void;
  readonly #waiting: Set<Waiting> = new Set();
  /** Since the last success. */
  #tries = 0;
  #pauseMs = MIN_PAUSE_MS;
  /** Cancels the next try. */
  #stop: (() => void) | undefined;

  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty;
  }

  wait<Result>({ waitMs, signal }: TurnOptions, work: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#leave(waiting);
        reject(signal?.reason);
      };
      const waiting: Waiting = {
        until: performance.now() + waitMs,
        attempt: () => resolve(work()),
        fail: reject,
        left: () => signal?.removeEventListener("abort", onAbort),
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(waiting);
      if (this.#waiting.size === 1) this.#tryInNextStep();
    });
  }

  /** The first has its turn; the next has it in another step of the event loop, so that many writes do not hold that up. */
  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    try {
      first.attempt();
    } catch (error) {
      if (isBusy(error)) return this.#stillBusy(error);
      first.fail(error);
    }
    this.#leave(first);
    this.#tries = 0;
    this.#pauseMs = MIN_PAUSE_MS;
    if (this.#waiting.size > 0) this.#tryInNextStep();
  }

  #stillBusy(error: unknown): void {
    const now = performance.now();
    for (const one of this.#waiting) {
      if (one.until > now) continue;
      this.#leave(one);
      one.fail(error);
    }
    if (this.#waiting.size === 0) return;
    if (++this.#tries < QUICK_TRIES) this.#tryInNextStep();
    else this.#tryAfterPause();
  }

  #tryInNextStep(): void {
    const immediate = setImmediate(() => this.#next());
    this.#stop = () => clearImmediate(immediate);
  }

  #tryAfterPause(): void {
    this.#stop = startTimer(this.#pauseMs * (0.5 + Math.random()), () => this.#next());
    this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_PAUSE_MS);
  }

  #leave(waiting: Waiting): void {
    waiting.left();
    this.#waiting.delete(waiting);
    if (this.#waiting.size > 0) return;
    this.#stop?.();
    this.#onEmpty();
  }
}
