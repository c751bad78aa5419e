import { RunAbandonedError } from "../errors/run-errors.ts";
import type { Emit, RunEvent } from "./events.ts";
import { attachRunSoFar, type RunResult, type RunSoFar } from "./result.ts";

/** Where the events of a watched run go. */
export interface RunEmitters {
  /** Of the run itself: its reader follows them in step. */
  readonly emit: Emit;
  /** Of its steps: some may wait for the reader. */
  readonly emitLive: Emit;
}

/** A run that can be made: how to make it, inspect it and end it. */
export interface RunningLoop {
  /** Makes the run, to its end. Called once. */
  run(): Promise<RunResult<unknown>>;
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
  readonly #open: (emitters: RunEmitters | undefined) => RunningLoop;
  readonly #outcome: Promise<RunResult<Output>>;
  #settle!: { resolve: (result: RunResult<unknown>) => void; reject: (error: unknown) => void };
  #running: RunningLoop | undefined;
  #over = false;

  /** @internal */
  constructor(open: (emitters: RunEmitters | undefined) => RunningLoop) {
    this.#open = open;
    this.#outcome = new Promise((resolve, reject) => {
      // The agent that made this stream knows the type of its output.
      this.#settle = { resolve: (result) => resolve(result as RunResult<Output>), reject };
    });
    this.#outcome.catch(() => {}); // whoever iterates already sees the error
  }

  /**
   * The final result. Makes the whole run when nobody has started to read it; then no events are made at all.
   *
   * @throws What the run threw; {@link RunAbandonedError} when the reader left before the end.
   */
  result(): Promise<RunResult<Output>> {
    if (this.#running === undefined && !this.#over) void this.#runUnwatched();
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

  #start(emitters: RunEmitters | undefined): RunningLoop {
    try {
      this.#running = this.#open(emitters);
      return this.#running;
    } catch (error) {
      this.#over = true;
      this.#settle.reject(error);
      throw error;
    }
  }

  async #runUnwatched(): Promise<void> {
    let running: RunningLoop;
    try {
      running = this.#start(undefined);
    } catch {
      return; // the outcome has been rejected with that
    }
    try {
      this.#settle.resolve(await running.run());
    } catch (error) {
      this.#settle.reject(error);
    } finally {
      this.#over = true;
      running.release();
    }
  }

  async *#read(): AsyncGenerator<RunEvent, void, void> {
    // Not before the first event is asked for: an iterator that is dropped unread never gets as far as `finally`.
    this.#checkUnread();
    const queue = new EventQueue<RunEvent>();
    const running = this.#start({ emit: queue.writeInStep.bind(queue), emitLive: queue.write.bind(queue) });
    const work = running.run();
    const ended = work.then(
      () => queue.end(),
      () => queue.end(),
    );
    try {
      for (;;) {
        const next = queue.next();
        const events = next instanceof Promise ? await next : next;
        if (events === undefined) break;
        for (const event of events) yield event;
      }
      await work;
    } catch (error) {
      this.#settle.reject(error);
      throw error;
    } finally {
      this.#over = true;
      running.release();
      queue.close();
      // A run that was left is over when its steps are; with its last events read or not, it may have had its result.
      await ended;
      await work.then(this.#settle.resolve, () => this.#settle.reject(abandoned(running)));
    }
  }
}

function abandoned(running: RunningLoop): RunAbandonedError {
  const error = new RunAbandonedError("the reader left before the run ended");
  attachRunSoFar(error, running.soFar());
  return error;
}

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
