import { ConfigurationError } from "../errors/agent-error.ts";
import { SessionConflictError } from "../errors/run-errors.ts";
import { isObject, type Json } from "../internal/json.ts";
import type { ObservedExchange } from "../loop/observers/observer.ts";
import type { SessionStore } from "../session/store/store.ts";
import { bodyDelta } from "./body-delta.ts";
import { EXCHANGE_VERSION, type ExchangeAbout, type ExchangeEntry, isExchangeEntry } from "./entries.ts";
import { KeptExchanges } from "./kept-exchanges.ts";
import type { KnownBodies, RunBody } from "./known-bodies.ts";

/** Other writers that an append gives way to before it fails. */
const MAX_CONFLICTS = 50;
/** Nested runs whose last body is rebuilt when a log is opened. */
const MAX_NESTED = 3;

/** What an append adds to what its writer knows. */
interface Added {
  readonly bodies: RunBody[];
  readonly abouts: Map<string, number>;
}

/** One log of exchanges, as its writer knows it. One append at a time. */
export class ExchangeLog {
  readonly #store: SessionStore;
  readonly #id: string;
  readonly #known: KnownBodies;
  /** Entries in the log; undefined until they are read. */
  #length: number | undefined;
  /** Where each {@link ExchangeAbout} is, by its JSON. */
  readonly #abouts = new Map<string, number>();

  constructor(store: SessionStore, id: string, known: KnownBodies) {
    this.#store = store;
    this.#id = id;
    this.#known = known;
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
      const added: Added = { bodies: [], abouts: new Map() };
      const entries = exchanges.map((exchange, index) =>
        this.#entryOf(exchange, from + index, added, index === 0 ? dropped : 0),
      );
      try {
        // Plain data without members that are undefined.
        await this.#store.append(this.#id, from, entries as unknown as readonly Json[]);
      } catch (error) {
        // Others wrote, or it may have been written all the same.
        this.#length = undefined;
        if (!(error instanceof SessionConflictError) || conflicts >= MAX_CONFLICTS) throw error;
        // It was deleted: what belonged to it does not begin another one.
        if (from > 0 && (await this.#store.load(this.#id)).length === 0) return;
        continue;
      }
      this.#length = from + entries.length;
      this.#learn(added);
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
    this.#known.forget(this.#id);
    const added: Added = { bodies: [], abouts: this.#abouts };
    for (const [position, entry] of entries.entries())
      if (isExchangeEntry(entry) && typeof entry.about !== "number")
        this.#abouts.set(JSON.stringify(entry.about), position);
    this.#learn({ ...added, bodies: lastBodies(new KeptExchanges(entries), this.#id) });
    return entries.length;
  }

  #learn({ bodies, abouts }: Added): void {
    for (const one of bodies) this.#known.add(one);
    for (const [about, position] of abouts) this.#abouts.set(about, position);
  }

  #entryOf(exchange: ObservedExchange, position: number, added: Added, dropped: number): ExchangeEntry {
    const { run, step, startedAt, endedAt, body, status, responseHeaders, error } = exchange;
    const delta = bodyDelta(body, [...this.#known.of(this.#id), ...added.bodies]);
    added.bodies.push({ log: this.#id, position, runId: run.runId, isNested: run.parent !== undefined, body });
    const about: ExchangeAbout = {
      agent: run.agent,
      model: run.model,
      ...(run.endpoint !== undefined && { endpoint: run.endpoint }),
      operation: exchange.operation,
      method: exchange.method,
      url: exchange.url,
      headers: exchange.requestHeaders,
    };
    const key = JSON.stringify(about);
    const known = this.#abouts.get(key) ?? added.abouts.get(key);
    if (known === undefined) added.abouts.set(key, position);
    return {
      v: EXCHANGE_VERSION,
      type: "exchange",
      at: startedAt,
      ms: endedAt - startedAt,
      runId: run.runId,
      ...(run.parent !== undefined && { parent: { ...run.parent } }),
      step: step.name,
      place: step.place,
      stepAttempt: step.attempt,
      attempt: exchange.attempt,
      about: known ?? about,
      body: delta,
      ...(status !== undefined && { status }),
      ...(responseHeaders !== undefined && { headers: responseHeaders }),
      chunks: exchange.chunks.map(({ ms, text }) => [ms, text] as const),
      ended: exchange.ended,
      ...(error !== undefined && { error }),
      ...(dropped > 0 && { dropped }),
    };
  }
}

/** The bodies that the next one may continue: of the last run, and of the last nested ones. */
function lastBodies(kept: KeptExchanges, log: string): RunBody[] {
  const found = new Map<string, RunBody>();
  let hasTop = false;
  let nested = 0;
  for (const { position, runId, parent } of kept.exchanges.toReversed()) {
    const isNested = parent !== undefined;
    if (found.has(runId) || (isNested ? nested >= MAX_NESTED : hasTop)) continue;
    if (isNested) nested++;
    else hasTop = true;
    try {
      found.set(runId, { log, position, runId, isNested, body: kept.body(position) });
    } catch {
      // Damaged: the next body is written whole.
    }
    if (hasTop && nested >= MAX_NESTED) break;
  }
  return [...found.values()].toReversed();
}
