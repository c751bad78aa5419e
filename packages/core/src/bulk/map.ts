import type { OutputOf, OutputSchema, SessionOptions } from "../agent/options.ts";
import type { RunInput } from "../agent/run-input.ts";
import type { Session } from "../agent/session.ts";
import { whenAborted } from "../internal/abort.ts";
import { checkAtLeast, checkOptions } from "../internal/option-names.ts";
import type { SessionLog } from "../session/log/session-log.ts";
import { MemoryStore } from "../session/store/memory-store.ts";
import type { SessionStore } from "../session/store/store.ts";
import type { ToolCall } from "../tool/tool-call.ts";
import { type MapItem, type OpenSession, runItem, stopsAll } from "./map-item.ts";
import { type AnyMapOptions, MAP_OPTIONS, type MapOptions } from "./map-options.ts";
import { type MapProgress, type MapSummary, MapTally } from "./map-progress.ts";

/** What {@link map} needs from an agent. */
interface MappedAgent<Context, Calls extends ToolCall, Schema extends OutputSchema | undefined> {
  session(options: SessionOptions): Session<Context, Calls, Schema>;
}

type MapArgument<Input, Context, Own extends OutputSchema | undefined> = Input extends RunInput
  ? undefined extends Context
    ? [options?: MapOptions<Input, Context, Own>]
    : [options: MapOptions<Input, Context, Own> & Needed<Input, Context, Own, "run">]
  : [
      options: MapOptions<Input, Context, Own> &
        Needed<Input, Context, Own, undefined extends Context ? "message" : "message" | "run">,
    ];

type Needed<Input, Context, Own extends OutputSchema | undefined, Name extends "message" | "run"> = {
  readonly [One in Name]: NonNullable<MapOptions<Input, Context, Own>[One]>;
};

/**
 * Runs an agent once for each input, several at a time. Nothing happens until the result is read.
 *
 * Inputs are read as they are needed, and items that are not read yet delay the next inputs, so memory doesn't grow with their number.
 *
 * @param inputs - A list, or anything that can be iterated, such as the lines of a file.
 * @throws {TypeError} For an unknown or invalid option, and for a store without keys.
 * @example
 * ```ts
 * const agent = new Agent({ model: "gemini-flash-latest", instructions: "Say in one word what it is about." });
 * const letters = [{ id: "a1", text: "Where is my order?" }];
 * for await (const item of map(agent, letters, { key: ({ id }) => id, message: ({ text }) => text }))
 *   console.log(item.key, item.status === "finished" ? item.result.text : item.status);
 * ```
 */
export function map<
  Input,
  Context,
  Calls extends ToolCall,
  Schema extends OutputSchema | undefined,
  Own extends OutputSchema | undefined = Schema,
>(
  agent: MappedAgent<Context, Calls, Schema>,
  inputs: Iterable<Input> | AsyncIterable<Input>,
  ...[options]: MapArgument<Input, Context, Own>
): MapRun<Input, OutputOf<Own>, Calls> {
  const given: unknown = options ?? {};
  checkOptions("map", given, MAP_OPTIONS);
  // Only callers type the context and the output; the code below never reads them.
  const untyped = given as AnyMapOptions<Input>;
  for (const name of ["concurrency", "retries"] as const) checkAtLeast(name, untyped[name], name === "retries" ? 0 : 1);
  for (const name of ["maxCost", "total"] as const) checkAtLeast(name, untyped[name], 0);
  if (untyped.name?.includes("/") === true) throw new TypeError('the name of a map must not contain "/"');
  if (typeof inputs !== "object" || !(Symbol.iterator in inputs || Symbol.asyncIterator in inputs))
    throw new TypeError("map() takes a list of inputs, or another iterable");
  if (untyped.store !== undefined && untyped.key === undefined)
    throw new TypeError("map needs a key with a store, such as key: (input) => input.id");
  return new MapRun((one) => agent.session(one) as unknown as Session, inputs, untyped);
}

type Iterated<Input> = Pick<AsyncIterator<Input> | Iterator<Input>, "next" | "return">;

/**
 * The work of {@link map}. Read its items with `for await`, or all of them with {@link MapRun.results}; {@link MapRun.summary} has the counts
 * and the inputs without an answer. Single-use. Leaving the `for await` early aborts the runs in progress.
 */
export class MapRun<Input, Output, Calls extends ToolCall = ToolCall> implements AsyncIterable<
  MapItem<Input, Output, Calls>
> {
  readonly #tally: MapTally;
  readonly #summary: Promise<MapSummary>;
  readonly #openSession: (options: SessionOptions) => Session;
  readonly #inputs: Iterable<Input> | AsyncIterable<Input>;
  readonly #options: AnyMapOptions<Input>;
  readonly #spending: Spending;
  /** Items that have ended and are not read yet, by position. */
  readonly #ready = new Map<number, MapItem<Input, unknown>>();
  #end!: (summary: MapSummary) => void;
  #waiters: (() => void)[] = [];
  /** Position of the next input, and of the next item to yield if they are ordered. */
  #taken = 0;
  #given = 0;
  #isTaking = false;
  /** Set when no more inputs begin. */
  #stopped: { readonly ended: MapSummary["ended"]; readonly error?: unknown } | undefined;

  #isBegun = false;

  /** @internal */
  constructor(
    openSession: (options: SessionOptions) => Session,
    inputs: Iterable<Input> | AsyncIterable<Input>,
    options: AnyMapOptions<Input>,
  ) {
    this.#openSession = openSession;
    this.#inputs = inputs;
    this.#options = options;
    this.#spending = new Spending(options.maxCost);
    const total = options.total ?? (Array.isArray(inputs) ? inputs.length : undefined);
    this.#tally = new MapTally(total, () => this.#spending.total);
    this.#summary = new Promise((resolve) => (this.#end = resolve));
  }

  /** @throws The error that stops all inputs: a wrong setting, a refused key, the daily quota, or an error of `inputs`, `key` or `message`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<MapItem<Input, Output, Calls>, void, void> {
    if (this.#isBegun) throw new TypeError("a map is read once: call map() again");
    this.#isBegun = true;
    const stop = new AbortController();
    const stopListening = whenAborted(this.#options.signal, () => stop.abort(this.#options.signal?.reason));
    const wakeless = whenAborted(stop.signal, () => this.#changed());
    let inputs: Iterated<Input> | undefined;
    let ended: MapSummary["ended"] = "aborted";
    try {
      stop.signal.throwIfAborted();
      // Any error before the first input fails the map.
      ended = "failed";
      const given = this.#inputs;
      inputs = Symbol.asyncIterator in given ? given[Symbol.asyncIterator]() : given[Symbol.iterator]();
      if (this.#options.store !== undefined) await this.#spending.readStore(this.#options.store, this.#prefix);
      ended = "aborted";
      for (;;) {
        if (this.#hasPlace()) void this.#take(inputs, stop.signal);
        const item = this.#nextReady();
        // The agent knows the types of its tools, and the schema that of the output.
        if (item !== undefined) yield item as MapItem<Input, Output, Calls>;
        else if (this.#tally.running > 0 || this.#isTaking) await this.#change();
        else break;
        stop.signal.throwIfAborted();
      }
      ({ ended } = this.#stopped ?? { ended });
      if (ended === "failed") throw this.#stopped?.error;
    } finally {
      stopListening();
      wakeless();
      this.#stopped ??= { ended };
      stop.abort(new Error("The reader of map() left before its end."));
      while (this.#tally.running > 0) await this.#change();
      // An input that is being awaited may never come.
      const closed = Promise.resolve(inputs?.return?.()).catch(() => undefined);
      if (!this.#isTaking) await closed;
      this.#end(this.#tally.summary(ended));
    }
  }

  /** All items, in the order of the inputs. Holds all of them in memory. */
  async results(): Promise<readonly MapItem<Input, Output, Calls>[]> {
    const items: MapItem<Input, Output, Calls>[] = [];
    for await (const item of this) items.push(item);
    return items.toSorted((a, b) => a.index - b.index);
  }

  /** How the map ended, also when reading threw. If reading has not started, runs all inputs and drops their items. */
  async summary(): Promise<MapSummary> {
    if (!this.#isBegun)
      try {
        for await (const _ of this);
      } catch (error) {
        if ((await this.#summary).ended === "failed") throw error;
      }
    return await this.#summary;
  }

  /** The progress so far. */
  get progress(): MapProgress {
    return this.#tally.progress();
  }

  get #prefix(): string {
    return `${this.#options.name ?? "map"}/`;
  }

  #hasPlace(): boolean {
    const { concurrency = 8, ordered = false } = this.#options;
    const { running } = this.#tally;
    const room = ordered ? 4 * concurrency : concurrency;
    return this.#stopped === undefined && !this.#isTaking && running < concurrency && running + this.#ready.size < room;
  }

  /** Takes the next input, and begins it as soon as the budget allows. */
  async #take(inputs: Iterated<Input>, signal: AbortSignal): Promise<void> {
    this.#isTaking = true;
    try {
      const { done, value: input } = await inputs.next();
      if (done === true) {
        this.#stopped ??= { ended: "done" };
        return;
      }
      const index = this.#taken++;
      const { key: keyOf = (_: Input, at: number) => String(at) } = this.#options;
      const key = keyOf(input, index);
      if (typeof key !== "string" || key === "")
        throw new TypeError(`map: the key of input ${index} must be a non-empty text`);
      while (this.#stopped === undefined && !signal.aborted && !this.#spending.hasRoom(this.#tally.running)) {
        if (this.#tally.running > 0) await this.#change();
        else if (await this.#isOver(key)) break;
        else this.#stopped = { ended: "cost" };
      }
      if (this.#stopped !== undefined || signal.aborted) return this.#tally.missing(key, "not begun");
      this.#tally.running += 1;
      void this.#run(input, index, key, signal);
    } catch (error) {
      this.#stopped ??= { ended: "failed", error };
    } finally {
      this.#isTaking = false;
      this.#changed();
    }
  }

  /** Whether the store has the input's result, which costs nothing. */
  async #isOver(key: string): Promise<boolean> {
    const { lastRun, resumable } = await this.#openSession({
      id: this.#prefix + key,
      store: this.#options.store,
    }).state();
    return lastRun !== undefined && lastRun !== "running" && !resumable;
  }

  async #run(input: Input, index: number, key: string, signal: AbortSignal): Promise<void> {
    const { message, run, retries = 1, store = new MemoryStore() } = this.#options;
    const followed: (() => void)[] = [];
    const open: OpenSession = async (id) => {
      const session = this.#openSession({ ...this.#options.session, id, store, ownerBudget: this.#spending.budget });
      const { log } = await session.watched().open();
      await log.refresh();
      followed.push(this.#spending.follow(log));
      const { length } = log.view;
      return { session, isUnchanged: () => log.view.length === length };
    };
    try {
      // Without `message`, the types ask for inputs that are messages.
      const text = message === undefined ? (input as string) : await message(input, index);
      const options = typeof run === "function" ? run(input, index) : run;
      const outcome = await runItem({ id: this.#prefix + key, message: text, options, retries, signal, open });
      const item = { index, key, input, ...outcome };
      this.#ready.set(index, item);
      this.#tally.settled(item);
      if (item.status === "failed" && stopsAll(item.error)) this.#stopped ??= { ended: "failed", error: item.error };
    } catch (error) {
      this.#tally.missing(key, signal.aborted ? "aborted" : "not begun");
      if (!signal.aborted) this.#stopped ??= { ended: "failed", error };
    } finally {
      for (const settle of followed) settle();
      this.#tally.running -= 1;
      this.#changed();
    }
  }

  #nextReady(): MapItem<Input, unknown> | undefined {
    const at = this.#options.ordered === true ? this.#given : this.#ready.keys().next().value;
    const item = at === undefined ? undefined : this.#ready.get(at);
    if (at === undefined || item === undefined) return undefined;
    this.#ready.delete(at);
    this.#given += 1;
    return item;
  }

  /** Resolves when an input has begun or ended, or when no more will begin. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #changed(): void {
    this.#options.onProgress?.(this.#tally.progress());
    for (const wake of this.#waiters.splice(0)) wake();
  }
}

/** The cost of the runs of all inputs. */
class Spending {
  readonly #maxCost: number | undefined;
  /** Cost of each session in progress since it was opened. */
  readonly #live = new Set<() => number>();
  #settled = 0;
  /** Sessions that cost something. */
  #paid = 0;

  constructor(maxCost: number | undefined) {
    this.#maxCost = maxCost;
  }

  get total(): number {
    return [...this.#live].reduce((sum, since) => sum + since(), this.#settled);
  }

  /** Called before each turn of each run. */
  get budget(): SessionOptions["ownerBudget"] {
    const maxCost = this.#maxCost;
    return maxCost === undefined ? undefined : () => ({ maxCost, spent: this.total });
  }

  /** Adds the cost of earlier processes. */
  async readStore(store: SessionStore, prefix: string): Promise<void> {
    for (let page = await store.list({ prefix, order: "id" }); page.length > 0;) {
      for (const { cost = 0 } of page) this.#count(cost);
      page = await store.list({ prefix, order: "id", after: page.at(-1) });
    }
  }

  /** Whether another run fits beside the runs in progress, at the mean cost of the ones that are over. */
  hasRoom(running: number): boolean {
    if (this.#maxCost === undefined) return true;
    const mean = this.#paid === 0 ? 0 : this.#settled / this.#paid;
    return this.total < this.#maxCost && this.total + mean * (running + 1) <= this.#maxCost;
  }

  /** @returns A function that adds the session's cost once its work is over. */
  follow({ view }: SessionLog): () => void {
    const before = view.info.info?.cost ?? 0;
    const since = (): number => (view.info.info?.cost ?? 0) - before;
    this.#live.add(since);
    return () => {
      this.#live.delete(since);
      this.#count(since());
    };
  }

  #count(cost: number): void {
    this.#settled += cost;
    if (cost > 0) this.#paid += 1;
  }
}
