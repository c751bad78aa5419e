import type { SessionOptions } from "../agent/options.ts";
import type { Session } from "../agent/session.ts";
import { steadyClock, whenAborted } from "../internal/abort.ts";
import type { SessionLog } from "../session/log/session-log.ts";
import { MemoryStore } from "../session/store/memory-store.ts";
import type { SessionStore } from "../session/store/store.ts";
import { type MapItem, type OpenSession, runItem, stopsAll } from "./map-item.ts";
import type { AnyMapOptions } from "./map-options.ts";
import { type MapSummary, MapTally } from "./map-progress.ts";

type Iterated<Input> = Pick<AsyncIterator<Input> | Iterator<Input>, "next" | "return">;

/** Takes inputs, runs a bounded number of them at a time, and gives the items to one reader. */
export class MapWork<Input> {
  readonly tally: MapTally;
  readonly summary: Promise<MapSummary>;
  readonly #openSession: (options: SessionOptions) => Session;
  readonly #inputs: Iterable<Input> | AsyncIterable<Input>;
  readonly #options: AnyMapOptions<Input>;
  readonly #spending: Spending;
  /** Ended, and not read yet, by position. */
  readonly #ready = new Map<number, MapItem<Input, unknown>>();
  #end!: (summary: MapSummary) => void;
  #waiters: (() => void)[] = [];
  /** Position of the next input, and of the next item to give if they are ordered. */
  #taken = 0;
  #given = 0;
  #isTaking = false;
  /** Nothing more is begun. */
  #stopped: { readonly ended: MapSummary["ended"]; readonly error?: unknown } | undefined;

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
    this.tally = new MapTally(steadyClock(), total, () => this.#spending.total);
    this.summary = new Promise((resolve) => (this.#end = resolve));
  }

  async *items(): AsyncGenerator<MapItem<Input, unknown>, void, void> {
    const stop = new AbortController();
    const stopListening = whenAborted(this.#options.signal, () => stop.abort(this.#options.signal?.reason));
    const wakeless = whenAborted(stop.signal, () => this.#changed());
    let inputs: Iterated<Input> | undefined;
    let ended: MapSummary["ended"] = "aborted";
    try {
      stop.signal.throwIfAborted();
      // Until it has begun, it fails by what stops all inputs.
      ended = "failed";
      const given = this.#inputs;
      inputs = Symbol.asyncIterator in given ? given[Symbol.asyncIterator]() : given[Symbol.iterator]();
      if (this.#options.store !== undefined) await this.#spending.readStore(this.#options.store, this.#prefix);
      ended = "aborted";
      for (;;) {
        if (this.#hasPlace()) void this.#take(inputs, stop.signal);
        const item = this.#nextReady();
        if (item !== undefined) yield item;
        else if (this.tally.running > 0 || this.#isTaking) await this.#change();
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
      while (this.tally.running > 0) await this.#change();
      // Inputs that keep one waiting may never come to an end.
      const closed = Promise.resolve(inputs?.return?.()).catch(() => undefined);
      if (!this.#isTaking) await closed;
      this.#end(this.tally.summary(ended));
    }
  }

  get #prefix(): string {
    return `${this.#options.name ?? "map"}/`;
  }

  #hasPlace(): boolean {
    const { concurrency = 8, ordered = false } = this.#options;
    const { running } = this.tally;
    const room = ordered ? 4 * concurrency : concurrency;
    return this.#stopped === undefined && !this.#isTaking && running < concurrency && running + this.#ready.size < room;
  }

  /** Takes the next input, and begins it as soon as there is money. */
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
        throw new TypeError(`map: the key of input ${index} is not a text with at least one character`);
      while (this.#stopped === undefined && !signal.aborted && !this.#spending.hasRoom(this.tally.running)) {
        if (this.tally.running > 0) await this.#change();
        else if (await this.#isOver(key)) break;
        else this.#stopped = { ended: "cost" };
      }
      if (this.#stopped !== undefined || signal.aborted) return this.tally.missing(key, "not begun");
      this.tally.running += 1;
      void this.#run(input, index, key, signal);
    } catch (error) {
      this.#stopped ??= { ended: "failed", error };
    } finally {
      this.#isTaking = false;
      this.#changed();
    }
  }

  /** Whether the store has its result: that costs nothing. */
  async #isOver(key: string): Promise<boolean> {
    const { lastRun, resumable } = await this.#openSession({
      id: this.#prefix + key,
      store: this.#options.store,
    }).state();
    return lastRun !== undefined && lastRun !== "running" && !resumable;
  }

  async #run(input: Input, index: number, key: string, signal: AbortSignal): Promise<void> {
    const { message, run, retries = 1, store = new MemoryStore() } = this.#options;
    const followed: Followed[] = [];
    const open: OpenSession = async (id) => {
      const session = this.#openSession({ ...this.#options.session, id, store, ownerBudget: this.#spending.budget });
      const { log } = session.watched();
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
      this.tally.settled(item);
      if (item.status === "failed" && stopsAll(item.error)) this.#stopped ??= { ended: "failed", error: item.error };
    } catch (error) {
      this.tally.missing(key, signal.aborted ? "aborted" : "not begun");
      if (!signal.aborted) this.#stopped ??= { ended: "failed", error };
    } finally {
      for (const one of followed) this.#spending.settle(one);
      this.tally.running -= 1;
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

  /** Resolves when an input was begun, has ended, or nothing more is to be. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #changed(): void {
    this.#options.onProgress?.(this.tally.progress());
    for (const wake of this.#waiters.splice(0)) wake();
  }
}

/** A session under way, and what it had cost before. */
interface Followed {
  readonly log: SessionLog;
  readonly before: number;
}

/** What the runs of all inputs have cost. */
class Spending {
  readonly #maxCost: number | undefined;
  readonly #live = new Set<Followed>();
  #settled = 0;
  /** Sessions that cost something. */
  #paid = 0;

  constructor(maxCost: number | undefined) {
    this.#maxCost = maxCost;
  }

  get total(): number {
    return [...this.#live].reduce((sum, one) => sum + costSince(one), this.#settled);
  }

  /** Asked before each turn of each run. */
  get budget(): SessionOptions["ownerBudget"] {
    const maxCost = this.#maxCost;
    return maxCost === undefined ? undefined : () => ({ maxCost, spent: this.total });
  }

  /** Counts what earlier processes have paid. */
  async readStore(store: SessionStore, prefix: string): Promise<void> {
    for (let page = await store.list({ prefix, order: "id" }); page.length > 0;) {
      for (const { cost = 0 } of page) this.#count(cost);
      page = await store.list({ prefix, order: "id", after: page.at(-1) });
    }
  }

  /** Whether another run fits beside those that are going, at the mean of those that are over. */
  hasRoom(running: number): boolean {
    if (this.#maxCost === undefined) return true;
    const mean = this.#paid === 0 ? 0 : this.#settled / this.#paid;
    return this.total < this.#maxCost && this.total + mean * (running + 1) <= this.#maxCost;
  }

  follow(log: SessionLog): Followed {
    const followed = { log, before: costOf(log) };
    this.#live.add(followed);
    return followed;
  }

  settle(followed: Followed): void {
    this.#live.delete(followed);
    this.#count(costSince(followed));
  }

  #count(cost: number): void {
    this.#settled += cost;
    if (cost > 0) this.#paid += 1;
  }
}

function costSince({ log, before }: Followed): number {
  return costOf(log) - before;
}

function costOf({ view }: SessionLog): number {
  return view.info.info?.cost ?? 0;
}
