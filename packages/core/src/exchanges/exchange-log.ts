import { ConfigurationError } from "../errors/agent-error.ts";
import { SessionConflictError } from "../errors/run-errors.ts";
import { isObject, type Json } from "../internal/json.ts";
import type { ObservedExchange } from "../loop/observers/observer.ts";
import type { SessionStore } from "../session/store/store.ts";
import { bodyDelta, type KnownBody } from "./body-delta.ts";
import { aboutOf, entryOf, type ExchangeEntry, isExchangeEntry, KeptExchanges } from "./kept-exchanges.ts";

/** Other writers that an append gives way to before it fails. */
const MAX_CONFLICTS = 50;
/** Nested runs whose last body is rebuilt when a log is opened. */
const MAX_NESTED = 3;
/** Runs whose last bodies are remembered. */
const MAX_RUNS = 16;

interface RunBody extends KnownBody {
  readonly runId: string;
  readonly isNested: boolean;
}

/** One log of exchanges, as its writer knows it, and what waits to be written to it. One append at a time. */
export class ExchangeLog {
  waiting: ObservedExchange[] = [];
  /** Exchanges that are lost, since the last that was written. */
  dropped = 0;
  /** Resolves when nothing waits any more; undefined while nothing does. */
  writing: Promise<void> | undefined;
  /** What its keeper has counted of {@link knownBytes}. */
  countedBytes = 0;
  readonly #store: SessionStore;
  readonly #id: string;
  /** Entries in the log; undefined until they are read. */
  #length: number | undefined;
  /** Where each `ExchangeAbout` is, by its JSON. */
  readonly #abouts = new Map<string, number>();
  /** The last body of each of the latest runs, in order: what the next body is compared with. */
  readonly #bodies = new Map<string, RunBody>();

  constructor(store: SessionStore, id: string) {
    this.#store = store;
    this.#id = id;
  }

  /** Size of the bodies that are remembered. */
  get knownBytes(): number {
    return [...this.#bodies.values()].reduce((sum, { body }) => sum + body.length, 0);
  }

  /** Has the next body written whole. */
  forgetBodies(): void {
    this.#bodies.clear();
  }

  /**
   * Adds exchanges at the end, whoever else writes to the log.
   *
   * @param dropped - Exchanges before these that are lost.
   * @throws {ConfigurationError} When it is the log of a session. What the store throws.
   */
  async append(exchanges: readonly ObservedExchange[], dropped: number): Promise<void> {
    for (let conflicts = 0; ; conflicts++) {
      const from = (this.#length ??= await this.#open());
      const entries = exchanges.map((exchange, index) => ({
        ...this.#entryOf(exchange, from + index),
        ...(index === 0 && dropped > 0 && { dropped }),
      }));
      try {
        // Plain data, but for members that are undefined, which JSON leaves out.
        await this.#store.append(this.#id, from, entries as unknown as readonly Json[]);
      } catch (error) {
        // Others wrote, or it may have been written all the same: what was learned of it is read again.
        this.#length = undefined;
        if (!(error instanceof SessionConflictError) || conflicts >= MAX_CONFLICTS) throw error;
        // It was deleted: what belonged to it does not begin another one.
        if (from > 0 && (await this.#store.load(this.#id)).length === 0) return;
        continue;
      }
      this.#length = from + entries.length;
      return;
    }
  }

  async #open(): Promise<number> {
    const entries = await this.#store.load(this.#id);
    const [first] = entries;
    if (first !== undefined && (!isObject(first) || first["type"] !== "exchange"))
      throw new ConfigurationError(
        `"${this.#id}" is the log of a session: give keepExchanges a store of its own, such as new JsonlStore("exchanges").`,
      );
    this.#abouts.clear();
    this.#bodies.clear();
    for (const [position, entry] of entries.entries())
      if (isExchangeEntry(entry) && typeof entry.about !== "number")
        this.#abouts.set(JSON.stringify(entry.about), position);
    for (const one of lastBodies(new KeptExchanges(entries))) this.#remember(one);
    return entries.length;
  }

  #remember(one: RunBody): void {
    this.#bodies.delete(one.runId);
    this.#bodies.set(one.runId, one);
    if (this.#bodies.size <= MAX_RUNS) return;
    // Nested runs are forgotten before the run that they are inside of.
    const known = [...this.#bodies.values()];
    this.#bodies.delete((known.find(({ isNested }) => isNested) ?? known[0])?.runId ?? "");
  }

  #entryOf({ run, body, ...rest }: ObservedExchange, position: number): ExchangeEntry {
    const { runId, agent, model, endpoint, parent } = run;
    const delta = bodyDelta(body, this.#bodies.values());
    this.#remember({ position, runId, isNested: parent !== undefined, body });
    const exchange = { ...rest, runId, agent, model, endpoint, parent: parent && { ...parent } };
    const about = aboutOf(exchange);
    const key = JSON.stringify(about);
    const known = this.#abouts.get(key);
    if (known === undefined) this.#abouts.set(key, position);
    return entryOf(exchange, known ?? about, delta);
  }
}

/** The bodies that the next one may continue: of the last run, and of the last nested ones. */
function lastBodies(kept: KeptExchanges): RunBody[] {
  const runs = [...new Map(kept.exchanges.map((one) => [one.runId, one])).values()];
  const nested = runs.filter(({ parent }) => parent !== undefined).slice(-MAX_NESTED);
  const top = runs.filter(({ parent }) => parent === undefined).slice(-1);
  return [...top, ...nested].flatMap(({ position, runId, parent }): RunBody[] => {
    try {
      return [{ position, runId, isNested: parent !== undefined, body: kept.body(position) }];
    } catch {
      // Damaged: the next body is written whole.
      return [];
    }
  });
}
