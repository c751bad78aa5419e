import { RunAbandonedError } from "../errors/run-errors.ts";
import type { Emit, RunEvent } from "./events.ts";
import type { ToolCall } from "../tool/tool-call.ts";
import type { Within } from "./observers/observer.ts";
import { attachRunSoFar, type RunResult, type RunSoFar } from "./result.ts";

/** Where the events of a run go: its own events, each of which waits for the reader, and live events of its steps, which are buffered. */
export type RunEmitters = Readonly<Record<"emit" | "emitLive", Emit>>;

/** A run that is ready to start. */
export interface RunningLoop {
  /** Executes the run. Called once. */
  run(): Promise<RunResult<unknown>>;
  /** Cancels a call that runs in this process. @returns False when there is none with that id. */
  cancelCall(callId: string): boolean;
  /** Aborts what is in progress and frees resources. Called once, when the run is over for any reason. */
  release(): void;
  soFar(): RunSoFar;
}

/**
 * A run as a stream of events. Read them with `for await`, or only the text with {@link RunStream.textStream}, then take {@link
 * RunStream.result}. Pull-driven and single-use: nothing runs until it is read, and leaving early ends the run. A slow reader slows it
 * down; at most 64 events are buffered. `Written`: what the model writes for the output.
 */
export class RunStream<
  Output = undefined,
  Calls extends ToolCall = ToolCall,
  Written = unknown,
> implements AsyncIterable<RunEvent<Calls>> {
  /** Never set: carries the type to `partialOutputs()` and `outputElements()`. */
  declare readonly "~written"?: Written | undefined;
  readonly #open: (emitters: RunEmitters | undefined) => RunningLoop;
  readonly #within: Within;
  readonly #outcome: Promise<RunResult<unknown>>;
  #settle!: { resolve: (result: RunResult<unknown>) => void; reject: (error: unknown) => void };
  #running: RunningLoop | undefined;
  #over = false;
  #isLeft = false;

  /** @internal @param within - The context in which it runs. @defaultValue its reader's */
  constructor(open: (emitters: RunEmitters | undefined) => RunningLoop, within: Within = (work) => work()) {
    this.#open = open;
    this.#within = within;
    this.#outcome = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.#outcome.catch(() => {}); // the iterator throws it as well
  }

  /** The final result. Executes the run if nobody reads it. @throws What the run threw; {@link RunAbandonedError} when the reader left. */
  result(): Promise<RunResult<Output, Calls>> {
    if (this.#running === undefined && !this.#over) void this.#run(undefined);
    // The agent that made this stream knows the types of its output and its tools.
    return this.#outcome as Promise<RunResult<Output, Calls>>;
  }

  /**
   * The text of the answers as it streams: `for await (const text of stream.textStream)`. Read this or the events; `result()` works afterward
   * either way. A discarded answer streams again from its beginning; only the events include its `discard`.
   */
  get textStream(): AsyncGenerator<string, void, void> {
    return textsOf(this[Symbol.asyncIterator]());
  }

  /** True when the run has ended, in any way. */
  get isOver(): boolean {
    return this.#over;
  }

  /**
   * Cancels one call that is running: its signal aborts, the model reads that the user cancelled it, and the run continues with the
   * other calls of the turn. A call that has not begun yet will not begin.
   * @param callId - As in events, such as `call:3.0`.
   * @returns False when no such call is running: it has ended, waits for an answer, or is a separate run on an engine.
   */
  cancelCall(callId: string): boolean {
    return this.#running?.cancelCall(callId) ?? false;
  }

  /** What the run has done so far: contents that can be sent again, turns, usage. `undefined` before it starts. */
  get soFar(): RunSoFar | undefined {
    return this.#running?.soFar();
  }

  [Symbol.asyncIterator](): AsyncGenerator<RunEvent<Calls>, void, void> {
    this.#checkUnread();
    // As for the result.
    return this.#read() as AsyncGenerator<RunEvent<Calls>, void, void>;
  }

  #checkUnread(): void {
    if (this.#running !== undefined || this.#over) throw new TypeError("a RunStream can be read once");
  }

  /** Executes the run. Never rejects. */
  async #run(emitters: RunEmitters | undefined): Promise<void> {
    try {
      const running = this.#within(() => this.#open(emitters));
      this.#running = running;
      this.#settle.resolve(await this.#within(() => running.run()));
    } catch (error) {
      this.#settle.reject(this.#isLeft ? abandoned(this.#running) : error);
    }
    if (!this.#isLeft) this.#release();
  }

  #release(): void {
    this.#over = true;
    this.#running?.release();
  }

  async *#read(): AsyncGenerator<RunEvent, void, void> {
    // Not before the first read: an iterator that is dropped unread never reaches `finally`.
    this.#checkUnread();
    const queue = new EventQueue<RunEvent>();
    const emitters = { emit: queue.writeInStep.bind(queue), emitLive: queue.write.bind(queue) };
    const ended = this.#run(emitters).then(() => queue.end());
    try {
      for (;;) {
        const next = queue.next();
        const events = next instanceof Promise ? await next : next;
        if (events === undefined) break;
        for (const event of events) yield event;
      }
      await this.#outcome;
    } finally {
      if (!this.#over) {
        this.#isLeft = true;
        this.#release();
        queue.close();
        // The steps end first; the run may still have its result.
        await ended;
      }
    }
  }
}

async function* textsOf(events: AsyncIterable<RunEvent>): AsyncGenerator<string, void, void> {
  for await (const event of events) if (event.type === "text-delta") yield event.delta;
}

function abandoned(running: RunningLoop | undefined): RunAbandonedError {
  const error = new RunAbandonedError("the reader left before the run ended");
  if (running !== undefined) attachRunSoFar(error, running.soFar());
  return error;
}

/** Buffered values before writers wait. */
const CAPACITY = 64;

/** A bounded queue from many writers to one reader; a slow reader slows the writers down. A closed queue drops new values. */
export class EventQueue<T> {
  #buffer: T[] = [];
  #closed = false;
  #ended = false;
  #reader: ((values: readonly T[] | undefined) => void) | undefined;
  #wakeWriters: (() => void)[] = [];
  /** Writers in step whose values the reader is reading. */
  #wakeInStep: (() => void)[] = [];
  /** Writers in step whose values are in the buffer. */
  #inStep: (() => void)[] = [];

  /** Adds a value. A promise means that the buffer is full: it resolves when there is room. */
  write(value: T): void | Promise<void> {
    if (this.#closed) return;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) return reader([value]);
    if (this.#buffer.push(value) < CAPACITY) return;
    return new Promise((resolve) => this.#wakeWriters.push(resolve));
  }

  /** Adds a value, and resolves when the reader has read it and requests more. */
  writeInStep(value: T): void | Promise<void> {
    if (this.#closed) return;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) this.#buffer.push(value);
    else reader([value]);
    const waiting = reader === undefined ? this.#inStep : this.#wakeInStep;
    return new Promise((resolve) => waiting.push(resolve));
  }

  /** The buffered values, or a promise of the next ones; `undefined` at the end. A call means that all earlier ones have been read. */
  next(): readonly T[] | undefined | Promise<readonly T[] | undefined> {
    for (const wake of this.#wakeInStep) wake();
    this.#wakeInStep = this.#inStep;
    this.#inStep = [];
    const values = this.#buffer;
    if (values.length === 0) {
      if (this.#ended || this.#closed) return undefined;
      return new Promise((resolve) => (this.#reader = resolve));
    }
    this.#buffer = [];
    const writers = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of writers) wake();
    return values;
  }

  end(): void {
    this.#ended = true;
    this.#reader?.(undefined);
  }

  close(): void {
    this.#closed = true;
    this.#buffer = [];
    this.#reader?.(undefined);
    for (const writers of [this.#wakeWriters, this.#wakeInStep, this.#inStep]) for (const wake of writers) wake();
  }
}

/** Passes the events of an object's runs to its listeners, without slowing the runs down. */
export class EventTap {
  readonly #listeners: Set<(event: RunEvent) => void> = new Set();
  /** Events since the turn began, for listeners that join in the middle of it. */
  #recent: RunEvent[] = [];

  /** Emitters that also call the listeners. A run that nobody reads or watches when it begins makes no events. */
  tap(emitters: RunEmitters | undefined): RunEmitters | undefined {
    if (emitters === undefined && this.#listeners.size === 0) {
      // The remembered events are of an earlier execution, perhaps of the same run.
      this.#recent = [];
      return undefined;
    }
    const pass =
      (emit: RunEmitters["emit"] | undefined): RunEmitters["emit"] =>
      (event) => {
        this.#remember(event);
        for (const listener of this.#listeners) listener(event);
        return emit?.(event);
      };
    return { emit: pass(emitters?.emit), emitLive: pass(emitters?.emitLive) };
  }

  /** Listens from now on. The listener must not throw. @returns The events of the current turn. */
  listen(listener: (event: RunEvent) => void): readonly RunEvent[] {
    this.#listeners.add(listener);
    return [...this.#recent];
  }

  leave(listener: (event: RunEvent) => void): void {
    this.#listeners.delete(listener);
  }

  #remember(event: RunEvent): void {
    const { type } = event;
    if (type === "run-start" || type === "run-end") this.#recent = [];
    else if (type === "turn-start") this.#recent = this.#recent.slice(0, 1);
    else if (type === "tool-progress")
      this.#recent = this.#recent.filter((one) => one.type !== type || one.callId !== event.callId);
    // The text has all of an `output-delta`.
    if (type === "run-end" || type === "output-delta") return;
    const last = this.#recent.at(-1);
    const isMore = (type === "text-delta" || type === "thought-delta") && last?.type === type;
    if (isMore) this.#recent[this.#recent.length - 1] = { ...event, delta: last.delta + event.delta };
    else this.#recent.push(event);
  }
}
