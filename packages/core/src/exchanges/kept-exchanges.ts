import type { StepPlace } from "../durable/run-log.ts";
import { isObject, type Json } from "../internal/json.ts";
import type { RunInfo } from "../loop/events.ts";
import type { SessionStore } from "../session/store/store.ts";
import type { HeaderFields } from "../wire/endpoints/endpoint.ts";
import type { ExchangeChunk, HttpExchange } from "../wire/http/exchange-tap.ts";
import { type BodyDelta, buildBody } from "./body-delta.ts";

/** Version of the entries that this release writes and reads. */
const EXCHANGE_VERSION = 1;

/** One exchange as it is stored, with references to what earlier entries of the log have. */
export interface ExchangeEntry extends Pick<
  KeptExchange,
  "runId" | "parent" | "attempt" | "status" | "ended" | "error" | "dropped"
> {
  readonly v: number;
  readonly type: "exchange";
  /** When it was sent, in milliseconds since the epoch. */
  readonly at: number;
  /** Milliseconds that it took. */
  readonly ms: number;
  /** Name of the step. */
  readonly step: string;
  readonly place: StepPlace;
  readonly stepAttempt: number;
  /** Data that many exchanges share, or the position of the entry that has it. */
  readonly about: ExchangeAbout | number;
  readonly body: BodyDelta;
  /** Headers of the response. */
  readonly headers?: HeaderFields | undefined;
  /** Chunks of the response: milliseconds since the request was sent, and text. */
  readonly chunks: readonly (readonly [ms: number, text: string])[];
}

/** Data that many exchanges share. */
export interface ExchangeAbout extends Pick<
  KeptExchange,
  "agent" | "model" | "endpoint" | "operation" | "method" | "url"
> {
  /** Headers of the request. */
  readonly headers: HeaderFields;
}

/** A kept exchange. `KeptExchanges.body` rebuilds its body. */
export interface KeptExchange
  extends Omit<HttpExchange, "body">, Pick<RunInfo, "runId" | "agent" | "model" | "endpoint" | "parent"> {
  /** Position in the log. */
  readonly position: number;
  readonly step: { readonly name: string; readonly place: StepPlace; readonly attempt: number };
  /** Size of the request's body. */
  readonly bodyBytes: number;
  /** The part of these bytes that was new to the log. */
  readonly newBytes: number;
  /** The exchange whose body is the base of this one's, and how many bytes both share at their beginning. */
  readonly base?: { readonly position: number; readonly sharedBytes: number } | undefined;
  /** Number of exchanges before this one that could not be written. */
  readonly dropped?: number | undefined;
}

/** An exchange that another program recorded, without `keepExchanges`. */
export interface ForeignExchange extends Omit<
  KeptExchange,
  "position" | "bodyBytes" | "newBytes" | "base" | "dropped"
> {
  /** Body of the request. */
  readonly body: string;
}

/** The exchanges in a log. Omits damaged and unknown entries. */
export class KeptExchanges {
  readonly #bodies: (BodyDelta | undefined)[] = [];
  readonly #exchanges: KeptExchange[] = [];
  readonly #abouts = new Map<number, ExchangeAbout>();
  readonly #unreadable: number[] = [];

  /** @param entries - Entries of the log, from its beginning. */
  constructor(entries: readonly unknown[] = []) {
    this.add(entries);
  }

  /** Number of entries added, readable or not: the position from which to continue loading. */
  get length(): number {
    return this.#bodies.length;
  }

  /** In the order of the log. */
  get exchanges(): readonly KeptExchange[] {
    return this.#exchanges;
  }

  /** Positions of entries that are damaged, or not exchanges. */
  get unreadable(): readonly number[] {
    return this.#unreadable;
  }

  /** Adds the next entries. */
  add(entries: readonly unknown[]): void {
    for (const value of entries) {
      const position = this.length;
      const entry = isExchangeEntry(value) ? value : undefined;
      // Its body may be intact even if the rest is damaged.
      this.#bodies.push(entry?.body);
      const about = typeof entry?.about === "number" ? this.#abouts.get(entry.about) : entry?.about;
      if (entry === undefined || about === undefined) {
        this.#unreadable.push(position);
        continue;
      }
      if (about === entry.about) this.#abouts.set(position, about);
      this.#exchanges.push(exchangeOf(entry, about, position));
    }
  }

  /**
   * The bytes of a request's body as they were sent, without secrets.
   *
   * @param position - In the log.
   * @throws {RangeError} When there is no such exchange, or an entry that it is based on is damaged.
   */
  body(position: number): Uint8Array {
    return buildBody(position, (at) => this.#bodies[at]);
  }

  /**
   * The text inserted into the base, if that is the only difference; undefined without a base, or for more changes.
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
}

/**
 * Reads what {@link keepExchanges} wrote.
 *
 * @param id - Id of the session; for a run without one, the run's id.
 *
 * @example
 * ```ts
 * const kept = await readExchanges(store, "chat-1");
 * for (const { step, status, position } of kept.exchanges) console.log(step.name, status, kept.body(position).length);
 * kept.add(await store.load("chat-1", kept.length)); // entries since then
 * ```
 */
export async function readExchanges(store: Pick<SessionStore, "load">, id: string): Promise<KeptExchanges> {
  return new KeptExchanges(await store.load(id));
}

/** An exchange as an entry for `KeptExchanges`, with its whole body: shows another program's exchanges in the same way. */
export function exchangeEntry(exchange: ForeignExchange): Json {
  const delta = { bytes: new TextEncoder().encode(exchange.body).length, parts: [exchange.body] };
  // Plain data, except for undefined members, which JSON omits.
  return entryOf(exchange, delta, 0, new Map()) as unknown as Json;
}

/** @param abouts - Position of each `ExchangeAbout` of the log, by its JSON; a new one is added. */
export function entryOf(
  exchange: Omit<ForeignExchange, "body">,
  body: BodyDelta,
  position: number,
  abouts: Map<string, number>,
): ExchangeEntry {
  const { agent, model, endpoint, operation, method, url, requestHeaders } = exchange;
  const own: ExchangeAbout = { agent, model, endpoint, operation, method, url, headers: requestHeaders };
  const key = JSON.stringify(own);
  const about = abouts.get(key) ?? own;
  if (about === own) abouts.set(key, position);
  const { startedAt, endedAt, runId, parent, step, attempt, status, responseHeaders, chunks, ended, error } = exchange;
  return {
    v: EXCHANGE_VERSION,
    type: "exchange",
    at: startedAt,
    ms: endedAt - startedAt,
    runId,
    parent,
    step: step.name,
    place: step.place,
    stepAttempt: step.attempt,
    attempt,
    about,
    body,
    status,
    headers: responseHeaders,
    chunks: chunks.map(({ ms, text }) => [ms, text]),
    ended,
    error,
  };
}

/** The reverse of {@link entryOf}. */
export function exchangeOf(entry: ExchangeEntry, about: ExchangeAbout, position: number): KeptExchange {
  const { headers: requestHeaders, ...common } = about;
  const { runId, parent, attempt, at, ms, body, status, headers, chunks, ended, error, dropped } = entry;
  const copied = body.parts.reduce((sum, part) => (typeof part === "string" ? sum : sum + part[1] - part[0]), 0);
  return {
    ...common,
    position,
    runId,
    parent,
    step: { name: entry.step, place: entry.place, attempt: entry.stepAttempt },
    attempt,
    startedAt: at,
    endedAt: at + ms,
    requestHeaders,
    bodyBytes: body.bytes,
    newBytes: body.bytes - copied,
    base: body.base === undefined ? undefined : { position: body.base, sharedBytes: body.shared ?? 0 },
    status,
    responseHeaders: headers,
    chunks: chunks.map(([after, text]): ExchangeChunk => ({ ms: after, text })),
    ended,
    error,
    dropped,
  };
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isNumber: Check = (value) => typeof value === "number";
const isPosition: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isTexts: Check = (value) => isObject(value) && Object.values(value).every(isText);
const isRange: Check = (value) =>
  Array.isArray(value) && isPosition(value[0]) && isPosition(value[1]) && value[0] <= value[1];

function maybe(check: Check): Check {
  return (value) => value === undefined || check(value);
}

function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

function objectOf<Of extends object>(checks: { readonly [Name in keyof Of]-?: Check }): (
  value: unknown,
) => value is Of {
  return (value): value is Of =>
    isObject(value) && Object.entries<Check>(checks).every(([name, check]) => check(value[name]));
}

const isAbout = objectOf<ExchangeAbout>({
  agent: isText,
  model: isText,
  endpoint: maybe(isText),
  operation: isText,
  method: isText,
  url: isText,
  headers: isTexts,
});

/** True for an entry of this version; does not check the entries that it refers to. */
export const isExchangeEntry: (value: unknown) => value is ExchangeEntry = objectOf<ExchangeEntry>({
  v: (value) => value === EXCHANGE_VERSION,
  type: (value) => value === "exchange",
  at: isNumber,
  ms: isNumber,
  runId: isText,
  parent: maybe(isTexts),
  step: isText,
  place: objectOf({ kind: isText, turn: isNumber }),
  stepAttempt: isNumber,
  attempt: isNumber,
  about: (value) => isPosition(value) || isAbout(value),
  body: objectOf<BodyDelta>({
    bytes: isPosition,
    base: maybe(isPosition),
    shared: maybe(isPosition),
    parts: listOf((part) => isText(part) || isRange(part)),
  }),
  status: maybe(isNumber),
  headers: maybe(isTexts),
  chunks: listOf((chunk) => Array.isArray(chunk) && isNumber(chunk[0]) && isText(chunk[1])),
  ended: isText,
  error: maybe(isTexts),
  dropped: maybe(isNumber),
});
