import { randomUUID } from "node:crypto";
import { realpathSync } from "node:fs";
import { startTimer, whenAborted } from "../../../internal/abort.ts";
import { tryOr } from "../../../internal/json.ts";
import { isBusy, isRefusal } from "../store-error.ts";

/** Tries in consecutive steps of the event loop before the first pause: most writes of others are over in less than a millisecond. */
const QUICK_TRIES = 50;

/** Maximum writes in one transaction: the event loop waits for all of them. */
const MAX_TOGETHER = 100;

/** Mean pause between two later tries, in milliseconds. */
const PAUSE_MS = 5;

/** How long a turn waits. */
export interface TurnOptions {
  /** How long to wait for other processes, in milliseconds. */
  readonly waitMs: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/** What a commit waits for: `full` for a disk sync, `normal` for nothing, so it need not survive a crash of the machine. */
export type Commits = "full" | "normal";

/** How neighbors that have the same `transact` are written together. */
export interface Together {
  /** Runs work in a transaction: all of it is written, or it throws and nothing is. */
  readonly transact: <Result>(commits: Commits, work: () => Result) => Result;
  readonly commits: Commits;
}

interface Waiting {
  /** On the monotonic clock. */
  readonly until: number;
  /** Does the work. @returns Reports the result to the caller, once it is written. @throws What the work throws, except refusals. */
  readonly attempt: () => () => void;
  readonly fail: (reason: unknown) => void;
  readonly together: Together | undefined;
  /** Called when it no longer waits. */
  readonly left: () => void;
}

/** Contains a queue only while a call waits in it. Shared by all stores of the process, since a lock keeps all of them waiting. */
const queues = new Map<string, TurnQueue>();

/**
 * Reads or writes a file, synchronously, as soon as no other process has it locked, in the order of the calls: at once if possible, or
 * in a later step of the event loop. However many calls wait for a file, one tries for all of them, and the event loop is free between
 * two tries.
 *
 * @param place - The file, from {@link placeOf}.
 * @param work - May run more than once. Throws a conflict or a lost lease only before it has written anything.
 * @param together - Waits for the next step in any case, and shares its transaction, and so a disk sync, with its neighbors there; each
 * succeeds or fails independently of the others.
 * @throws What the work throws; the signal's reason; SQLite's error when the file is still locked at the end of the wait.
 */
export async function takeTurn<Result>(
  kind: "read" | "write",
  place: string,
  options: TurnOptions,
  work: () => Result,
  together?: Together,
): Promise<Result> {
  options.signal?.throwIfAborted();
  const name = `${kind} ${place}`;
  let queue = queues.get(name);
  if (queue === undefined) {
    try {
      if (together === undefined) return work();
    } catch (error) {
      if (!isBusy(error) || options.waitMs <= 0) throw error;
    }
    queue = new TurnQueue(() => queues.delete(name));
    queues.set(name, queue);
  }
  return await queue.wait(options, work, together);
}

/** The same text for every name of a file; a new one on each call if there is no file. */
export function placeOf(file: string): string {
  return tryOr(() => realpathSync.native(file), randomUUID());
}

class TurnQueue {
  readonly #onEmpty: () => void;
  readonly #waiting: Set<Waiting> = new Set();
  #tries = 0;
  /** Number of calls that failed together and are tried one by one. */
  #alone = 0;
  #stop: (() => void) | undefined;

  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty;
  }

  wait<Result>({ waitMs, signal }: TurnOptions, work: () => Result, together: Together | undefined): Promise<Result> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        until: performance.now() + waitMs,
        attempt: () => {
          try {
            const result = work();
            return () => resolve(result);
          } catch (error) {
            if (!isRefusal(error)) throw error;
            return () => reject(error);
          }
        },
        fail: reject,
        together,
        left: whenAborted(signal, () => {
          this.#leave(waiting);
          reject(signal?.reason);
        }),
      };
      this.#waiting.add(waiting);
      if (this.#waiting.size === 1) this.#tryInNextStep();
    });
  }

  /** Runs the first calls; the next ones run in another step of the event loop, so that many writes do not hold it up. */
  #next(): void {
    const group = this.#group();
    try {
      const together = group[0]?.together;
      const attempt = (): readonly (() => void)[] => group.map((one) => one.attempt());
      const commits = group.some((one) => one.together?.commits === "full") ? "full" : "normal";
      for (const report of together === undefined ? attempt() : together.transact(commits, attempt)) report();
    } catch (error) {
      if (isBusy(error)) return this.#stillBusy(error);
      if (group.length > 1) {
        // Nothing was written. Run alone, each call shows whether it was the cause.
        this.#alone = group.length;
        return this.#tryInNextStep();
      }
      group[0]?.fail(error);
    }
    this.#alone = Math.max(0, this.#alone - 1);
    for (const one of group) this.#leave(one);
    this.#tries = 0;
    if (this.#waiting.size > 0) this.#tryInNextStep();
  }

  /** The first calls that may be written together: at least one. */
  #group(): readonly Waiting[] {
    const group: Waiting[] = [];
    for (const one of this.#waiting) {
      const [first] = group;
      if (first !== undefined && first.together?.transact !== one.together?.transact) break;
      if (group.push(one) === (this.#alone > 0 || one.together === undefined ? 1 : MAX_TOGETHER)) break;
    }
    return group;
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
    else this.#stop = startTimer(PAUSE_MS * (0.5 + Math.random()), () => this.#next());
  }

  #tryInNextStep(): void {
    const immediate = setImmediate(() => this.#next());
    this.#stop = () => clearImmediate(immediate);
  }

  #leave(waiting: Waiting): void {
    waiting.left();
    this.#waiting.delete(waiting);
    if (this.#waiting.size > 0) return;
    this.#stop?.();
    this.#onEmpty();
  }
}
