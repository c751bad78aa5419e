import { RunAbandonedError } from "../errors/run-errors.ts";
import type { RunEvent } from "./events.ts";
import type { RunResult } from "./result.ts";
import type { RunSoFar } from "./run-so-far.ts";
import { attachRunSoFar } from "./run-so-far.ts";

/** What a stream reads: the running loop, and how to end and inspect it. */
export interface RunningLoop {
  readonly events: AsyncGenerator<RunEvent, RunResult<unknown>, void>;
  /** Aborts what is under way and frees what the run holds. Called once, when the run is over for whatever reason. */
  release(): void;
  soFar(): RunSoFar;
}

/**
 * A run you can watch. Read events with `for await`, then take {@link RunStream.result}.
 *
 * Pull-driven and single-use: nothing runs until it is read, and leaving the `for await` early ends the run. A slow
 * reader slows the run down; at most 64 events wait for it.
 */
export class RunStream<Output = undefined> implements AsyncIterable<RunEvent> {
  readonly #open: (observed: boolean) => RunningLoop;
  readonly #outcome: Promise<RunResult<Output>>;
  #settle!: { resolve: (result: RunResult<unknown>) => void; reject: (error: unknown) => void };
  #running: RunningLoop | undefined;
  #over = false;

  /** @internal */
  constructor(open: (observed: boolean) => RunningLoop) {
    this.#open = open;
    this.#outcome = new Promise((resolve, reject) => {
      // The agent that made this stream knows the type of its output.
      this.#settle = { resolve: (result) => resolve(result as RunResult<Output>), reject };
    });
    this.#outcome.catch(() => {}); // whoever iterates already sees the error
  }

  /**
   * The final result. Reads the whole run when nobody has started to; then no events are made at all.
   *
   * @throws What the run threw; {@link RunAbandonedError} when the reader left before the end.
   */
  result(): Promise<RunResult<Output>> {
    if (this.#running === undefined && !this.#over) void this.#drain();
    return this.#outcome;
  }

  /** True when the run has ended, in whatever way. */
  get isOver(): boolean {
    return this.#over;
  }

  /** What the run has done by now: contents that can be sent again, turns, usage. `undefined` before it was started. */
  get soFar(): RunSoFar | undefined {
    return this.#running?.soFar();
  }

  [Symbol.asyncIterator](): AsyncGenerator<RunEvent, void, void> {
    this.#checkUnread();
    return this.#read();
  }

  #checkUnread(): void {
    if (this.#running !== undefined || this.#over) throw new TypeError("a RunStream can be read once");
  }

  async #drain(): Promise<void> {
    try {
      const running = this.#start(false);
      try {
        let next = await running.events.next();
        while (next.done !== true) next = await running.events.next();
        this.#settle.resolve(next.value);
      } catch (error) {
        this.#settle.reject(error);
      } finally {
        this.#over = true;
        running.release();
      }
    } catch {
      // It could not start; the outcome has been rejected with that.
    }
  }

  #start(observed: boolean): RunningLoop {
    try {
      this.#running = this.#open(observed);
      return this.#running;
    } catch (error) {
      this.#over = true;
      this.#settle.reject(error);
      throw error;
    }
  }

  async *#read(): AsyncGenerator<RunEvent, void, void> {
    // Not before the first event is asked for: an iterator that is dropped unread never gets as far as `finally`.
    this.#checkUnread();
    const running = this.#start(true);
    let settled = false;
    try {
      const result = yield* running.events;
      this.#over = true;
      settled = true;
      this.#settle.resolve(result);
    } catch (error) {
      this.#over = true;
      settled = true;
      this.#settle.reject(error);
      throw error;
    } finally {
      this.#over = true;
      if (!settled) {
        const abandoned = new RunAbandonedError("the reader left before the run ended");
        attachRunSoFar(abandoned, running.soFar());
        this.#settle.reject(abandoned);
      }
      running.release();
    }
  }
}
