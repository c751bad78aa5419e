import { availableParallelism, totalmem } from "node:os";
import { ToolFailure } from "@pollux/core";

/** Most memory that a conversion may occupy, in bytes: the JavaScript heap, buffers and the runtime itself. */
export const MAX_MEMORY_BYTES = 512_000_000;

/** Longest that a document waits for its turn, in milliseconds. */
export const MAX_WAIT_MS = 30_000;

interface Waiting {
  /** It starts once fewer than this are running. */
  readonly max: number;
  readonly start: () => void;
}

/** Bounds how many documents are converted at once, first come, first served. */
export class ConversionQueue {
  #running = 0;
  /** In the order of their arrival. */
  readonly #waiting: Set<Waiting> = new Set();

  /**
   * Waits until fewer than `max` are running, and until all that came earlier have started.
   *
   * @returns Ends the turn. May be called more than once.
   * @throws {ToolFailure} After {@link MAX_WAIT_MS}. @throws The signal's reason, if it aborts.
   */
  async enter(max: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#waiting.size === 0 && this.#running < max) this.#running++;
    else await this.#wait(max, signal);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#running--;
      this.#startNext();
    };
  }

  async #wait(max: number, signal: AbortSignal): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    let waiting: Waiting | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        waiting = { max, start: resolve };
        this.#waiting.add(waiting);
        onAbort = () => reject(signal.reason as Error);
        signal.addEventListener("abort", onAbort, { once: true });
        timer = setTimeout(() => {
          const why = `other documents are being converted, and this one waited ${MAX_WAIT_MS} ms for its turn; fetch fewer at once, or try again later`;
          reject(new ToolFailure(why));
        }, MAX_WAIT_MS);
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

/** One per core, but no more than fit into a quarter of the memory that this program may use, and at least one. */
export function defaultMaxConversions(): number {
  // Zero when unknown; not every runtime has it.
  const constrained = process.constrainedMemory?.() || Infinity;
  const fitting = Math.floor(Math.min(totalmem(), constrained) / 4 / MAX_MEMORY_BYTES);
  return Math.max(1, Math.min(availableParallelism(), fitting));
}
