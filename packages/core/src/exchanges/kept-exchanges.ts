import type { StepPlace } from "../durable/run-log.ts";
import type { SessionStore } from "../session/store/store.ts";
import type { ParentStep } from "../tool/tool.ts";
import type { ExchangeChunk, HttpExchange } from "../wire/http/exchange-tap.ts";
import { buildBody } from "./body-delta.ts";
import { type BodyDelta, type ExchangeAbout, type ExchangeEntry, isExchangeEntry } from "./entries.ts";

/** A kept exchange. Its body is rebuilt by {@link KeptExchanges.body}. */
export interface KeptExchange extends Omit<HttpExchange, "body"> {
  /** Position in the log. */
  readonly position: number;
  readonly runId: string;
  /** Name of the agent. */
  readonly agent: string;
  /** Id of the agent's model. */
  readonly model: string;
  /** Where its requests are sent, if known. */
  readonly endpoint?: string | undefined;
  /** The step of another run that contains the run. */
  readonly parent?: ParentStep | undefined;
  readonly step: { readonly name: string; readonly place: StepPlace; readonly attempt: number };
  /** Size of the request's body. */
  readonly bodyBytes: number;
  /** Of these, the bytes that were new to the log. */
  readonly newBytes: number;
  /** The exchange whose body is the base of this one, and how many bytes both have in common at their beginning. */
  readonly base?: { readonly position: number; readonly sharedBytes: number } | undefined;
  /** Exchanges before this one that could not be written. */
  readonly dropped?: number | undefined;
}

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
    return describe(entry, about, position);
  }
}

function describe(entry: ExchangeEntry, about: ExchangeAbout, position: number): KeptExchange {
  const { body, status, headers, error, dropped } = entry;
  const copied = body.parts.reduce((sum, part) => (typeof part === "string" ? sum : sum + part[1] - part[0]), 0);
  return {
    position,
    runId: entry.runId,
    agent: about.agent,
    model: about.model,
    ...(about.endpoint !== undefined && { endpoint: about.endpoint }),
    ...(entry.parent !== undefined && { parent: entry.parent }),
    step: { name: entry.step, place: entry.place, attempt: entry.stepAttempt },
    operation: about.operation,
    attempt: entry.attempt,
    startedAt: entry.at,
    endedAt: entry.at + entry.ms,
    method: about.method,
    url: about.url,
    requestHeaders: about.headers,
    bodyBytes: body.bytes,
    newBytes: body.bytes - copied,
    ...(body.base !== undefined && { base: { position: body.base, sharedBytes: body.shared ?? 0 } }),
    ...(status !== undefined && { status }),
    ...(headers !== undefined && { responseHeaders: headers }),
    chunks: entry.chunks.map(([ms, text]): ExchangeChunk => ({ ms, text })),
    ended: entry.ended,
    ...(error !== undefined && { error }),
    ...(dropped !== undefined && { dropped }),
  };
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
