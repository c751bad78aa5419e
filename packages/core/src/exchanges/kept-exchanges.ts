import type { SessionStore } from "../session/store/store.ts";
import { buildBody } from "./body-delta.ts";
import { type BodyDelta, type ExchangeAbout, exchangeOf, isExchangeEntry, type KeptExchange } from "./entries.ts";

/** The exchanges in a log. Damaged and unknown entries are left out. */
export class KeptExchanges {
  readonly #bodies: (BodyDelta | undefined)[] = [];
  readonly #exchanges: KeptExchange[] = [];
  readonly #abouts = new Map<number, ExchangeAbout>();
  readonly #unreadable: number[] = [];

  /** @param entries - Of the log, from its beginning. */
  constructor(entries: readonly unknown[] = []) {
    this.add(entries);
  }

  /** Entries of the log that were added, readable or not: where to continue to load. */
  get length(): number {
    return this.#bodies.length;
  }

  /** In the order of the log. */
  get exchanges(): readonly KeptExchange[] {
    return this.#exchanges;
  }

  /** Positions of entries that are no exchanges, or damaged. */
  get unreadable(): readonly number[] {
    return this.#unreadable;
  }

  /** Adds the entries that follow. */
  add(entries: readonly unknown[]): void {
    for (const entry of entries) {
      const position = this.#bodies.length;
      const exchange = this.#read(entry, position);
      // Its body may be whole even where the rest is not.
      this.#bodies.push(isExchangeEntry(entry) ? entry.body : undefined);
      if (exchange === undefined) this.#unreadable.push(position);
      else this.#exchanges.push(exchange);
    }
  }

  /**
   * The bytes of a request's body, as they were sent except for secrets.
   *
   * @param position - In the log.
   * @throws {RangeError} When there is no such exchange, or an entry that it is based on is damaged.
   */
  body(position: number): Uint8Array {
    return buildBody(position, (at) => this.#bodies[at]);
  }

  /**
   * The text that the body has more than its base, where that is all that differs; undefined without a base, or for more changes.
   *
   * @param position - In the log.
   */
  insertion(position: number): string | undefined {
    const delta = this.#bodies[position];
    const before = delta?.base === undefined ? undefined : this.#bodies[delta.base];
    if (delta === undefined || before === undefined) return undefined;
    let text = "";
    let copied = 0;
    for (const part of delta.parts) {
      if (typeof part !== "string") {
        if (part[0] !== copied) return undefined;
        copied = part[1];
      } else if (text === "") text = part;
      else return undefined;
    }
    return copied === before.bytes ? text : undefined;
  }

  #read(entry: unknown, position: number): KeptExchange | undefined {
    if (!isExchangeEntry(entry)) return undefined;
    const about = typeof entry.about === "number" ? this.#abouts.get(entry.about) : entry.about;
    if (about === undefined) return undefined;
    if (typeof entry.about !== "number") this.#abouts.set(position, about);
    return exchangeOf(entry, about, position);
  }
}

/**
 * Reads what {@link keepExchanges} wrote.
 *
 * @param id - Of the session; of a run without one, the run's.
 *
 * @example
 * ```ts
 * const kept = await readExchanges(store, "chat-1");
 * for (const { step, status, position } of kept.exchanges) console.log(step.name, status, kept.body(position).length);
 * kept.add(await store.load("chat-1", kept.length)); // what has come since
 * ```
 */
export async function readExchanges(store: Pick<SessionStore, "load">, id: string): Promise<KeptExchanges> {
  return new KeptExchanges(await store.load(id));
}
