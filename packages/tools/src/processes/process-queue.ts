import type { ChildProcess } from "node:child_process";
import { availableParallelism, totalmem } from "node:os";

/** How to wait for a turn. */
export interface TurnOptions {
  /** Most processes that may run at once, this one included. */
  readonly max: number;
  readonly signal: AbortSignal;
  /** Longest wait, in milliseconds. */
  readonly maxWaitMs: number;
  /** The error after too long a wait. */
  readonly tooLong: () => Error;
}

interface Waiting {
  /** It starts once fewer than this are running. */
  readonly max: number;
  readonly start: () => void;
}

/** Bounds how many processes of one kind run at once in this program, first come, first served. */
export class ProcessQueue {
  #running = 0;
  /** In the order of their arrival. */
  readonly #waiting: Set<Waiting> = new Set();

  /**
   * Waits until fewer than `max` are running, and all earlier arrivals have started.
   *
   * @returns A function that ends the turn; it may be called more than once.
   * @throws The error for too long a wait; the signal's reason, if it aborts.
   */
  async enter(options: TurnOptions): Promise<() => void> {
    options.signal.throwIfAborted();
    if (this.#waiting.size === 0 && this.#running < options.max) this.#running++;
    else await this.#wait(options);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#running--;
      this.#startNext();
    };
  }

  async #wait({ max, signal, maxWaitMs, tooLong }: TurnOptions): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    let waiting: Waiting | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        waiting = { max, start: resolve };
        this.#waiting.add(waiting);
        onAbort = () => reject(signal.reason as Error);
        signal.addEventListener("abort", onAbort, { once: true });
        timer = setTimeout(() => reject(tooLong()), maxWaitMs);
      });
    } catch (error) {
      if (waiting !== undefined) this.#waiting.delete(waiting);
      // The next one may allow more at once than this one did.
      this.#startNext();
      throw error;
    } finally {
      clearTimeout(timer);
      if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
    }
  }

  #startNext(): void {
    for (const waiting of this.#waiting) {
      if (this.#running >= waiting.max) return;
      this.#waiting.delete(waiting);
      this.#running++;
      waiting.start();
    }
  }
}

/** Calls `leave` when the process no longer occupies memory. */
export function leaveAtEnd(child: ChildProcess, leave: () => void): void {
  child.once("exit", leave);
  child.once("error", () => {
    if (child.pid === undefined) leave();
  });
}

/** One per core, but no more than fit into a quarter of the memory that this program may use, and at least one. */
export function defaultMaxProcesses(bytesEach: number): number {
  // Zero when unknown; not every runtime has it.
  const constrained = process.constrainedMemory?.() || Infinity;
  const fitting = Math.floor(Math.min(totalmem(), constrained) / 4 / bytesEach);
  return Math.max(1, Math.min(availableParallelism(), fitting));
}
