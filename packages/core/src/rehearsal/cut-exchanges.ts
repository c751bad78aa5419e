import { bodyDelta, type KnownBody } from "../exchanges/body-delta.ts";
import {
  aboutOf,
  entryOf,
  type ForeignExchange,
  type KeptExchange,
  KeptExchanges,
} from "../exchanges/kept-exchanges.ts";
import { type Json, tryOr } from "../internal/json.ts";

/** A kept exchange with the text of its request. */
export type WholeExchange = ForeignExchange & Pick<KeptExchange, "dropped">;

/** Exchanges with their requests, without those that are damaged. */
export function readWhole(exchanges: readonly Json[]): readonly WholeExchange[] {
  const kept = new KeptExchanges(exchanges);
  return kept.exchanges.flatMap((exchange) => {
    const bytes = tryOr<Uint8Array | undefined>(() => kept.body(exchange.position), undefined);
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return bytes === undefined ? [] : [{ ...exchange, body: decoder.decode(bytes) }];
  });
}

/** Runs whose last bodies the next one may continue. */
const MAX_BASES = 16;

/** Exchanges as the entries of a log of their own. */
export function writeWhole(exchanges: readonly WholeExchange[]): readonly Json[] {
  const abouts = new Map<string, number>();
  const bodies = new Map<string, KnownBody>();
  return exchanges.map((exchange, position): Json => {
    const { runId, dropped } = exchange;
    const about = aboutOf(exchange);
    const key = JSON.stringify(about);
    const known = abouts.get(key);
    if (known === undefined) abouts.set(key, position);
    const body = new TextEncoder().encode(exchange.body);
    const entry = { ...entryOf(exchange, known ?? about, bodyDelta(body, bodies.values())), dropped };
    bodies.delete(runId);
    bodies.set(runId, { position, body });
    if (bodies.size > MAX_BASES) bodies.delete(bodies.keys().next().value ?? "");
    // Without members that are undefined.
    return JSON.parse(JSON.stringify(entry)) as Json;
  });
}

/**
 * The exchanges of one run, with those of the runs inside its calls, as a log of their own. Those that are damaged are left out.
 *
 * @param exchanges - Entries that `keepExchanges` wrote for the session.
 */
export function cutExchanges(exchanges: readonly Json[], runId: string): readonly Json[] {
  const runs = new Set([runId]);
  const own = readWhole(exchanges).filter((exchange) => {
    if (exchange.parent !== undefined && runs.has(exchange.parent.runId)) runs.add(exchange.runId);
    return runs.has(exchange.runId);
  });
  return writeWhole(own);
}
