import { bodyDelta, type KnownBody } from "../exchanges/body-delta.ts";
import { aboutOf, entryOf, KeptExchanges } from "../exchanges/kept-exchanges.ts";
import { type Json, tryOr } from "../internal/json.ts";

/** Runs whose last bodies the next one may continue. */
const MAX_BASES = 16;

/** Says what a body shares with those before it. */
export class BodyEncoder {
  readonly #known = new Map<string, KnownBody>();

  encode(runId: string, position: number, body: Uint8Array): ReturnType<typeof bodyDelta> {
    const delta = bodyDelta(body, this.#known.values());
    this.#known.delete(runId);
    this.#known.set(runId, { position, body });
    if (this.#known.size > MAX_BASES) this.#known.delete(this.#known.keys().next().value ?? "");
    return delta;
  }
}

/**
 * The exchanges of one run, with those of the runs inside its calls, as a log of their own. Exchanges whose entries are damaged are left out.
 *
 * @param exchanges - Entries that `keepExchanges` wrote for the session.
 */
export function cutExchanges(exchanges: readonly Json[], runId: string): readonly Json[] {
  const kept = new KeptExchanges(exchanges);
  const runs = new Set([runId]);
  const abouts = new Map<string, number>();
  const encoder = new BodyEncoder();
  const entries: Json[] = [];
  for (const exchange of kept.exchanges) {
    if (exchange.parent !== undefined && runs.has(exchange.parent.runId)) runs.add(exchange.runId);
    if (!runs.has(exchange.runId)) continue;
    const whole = tryOr<Uint8Array | undefined>(() => kept.body(exchange.position), undefined);
    if (whole === undefined) continue;
    const about = aboutOf(exchange);
    const key = JSON.stringify(about);
    const known = abouts.get(key);
    if (known === undefined) abouts.set(key, entries.length);
    const body = encoder.encode(exchange.runId, entries.length, whole);
    // Plain data, but for members that are undefined, which JSON leaves out.
    entries.push(JSON.parse(JSON.stringify(entryOf(exchange, known ?? about, body))) as Json);
  }
  return entries;
}
