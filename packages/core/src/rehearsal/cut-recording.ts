import { bodyDelta, type KnownBody } from "../exchanges/body-delta.ts";
import { entryOf, type ForeignExchange, type KeptExchange, KeptExchanges } from "../exchanges/kept-exchanges.ts";
import { type Json, tryOr, asList, asObject } from "../internal/json.ts";
import { ENTRY_VERSION } from "../session/log/entries.ts";

/** A kept exchange with the text of its request. */
export type WholeExchange = ForeignExchange & Pick<KeptExchange, "dropped">;

/** Exchanges with their requests; damaged ones are left out. */
export function readWhole(exchanges: readonly Json[]): readonly WholeExchange[] {
  const kept = new KeptExchanges(exchanges);
  return kept.exchanges.flatMap((exchange) => {
    const bytes = tryOr<Uint8Array | undefined>(() => kept.body(exchange.position), undefined);
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return bytes === undefined ? [] : [{ ...exchange, body: decoder.decode(bytes) }];
  });
}

/** Most runs whose last bodies are kept for the next body to continue. */
const MAX_BASES = 16;

/** Exchanges as the entries of a log of their own. */
export function writeWhole(exchanges: readonly WholeExchange[]): readonly Json[] {
  const abouts = new Map<string, number>();
  const bodies = new Map<string, KnownBody>();
  return exchanges.map((exchange, position): Json => {
    const { runId, dropped } = exchange;
    const body = new TextEncoder().encode(exchange.body);
    const entry = { ...entryOf(exchange, bodyDelta(body, bodies.values()), position, abouts), dropped };
    bodies.delete(runId);
    bodies.set(runId, { position, body });
    if (bodies.size > MAX_BASES) bodies.delete(bodies.keys().next().value ?? "");
    // Without members that are undefined.
    return JSON.parse(JSON.stringify(entry)) as Json;
  });
}

/**
 * The exchanges of one run and of the runs inside its calls, as a log of their own. Damaged ones are left out.
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

/** Where a log is cut: before a turn of a run. */
export interface CutPoint {
  /** @defaultValue the last one */
  readonly runId?: string | undefined;
  /** From 1: removes this turn and all later ones. Without it, removes the whole run. */
  readonly turn?: number | undefined;
  /** New id of the run, so that its later calls have idempotency keys of their own. @defaultValue the same id */
  readonly newRunId?: string | undefined;
}

/** A log up to a turn. */
export interface CutLog {
  /** Log of a session of its own: `resume({ anyLoopVersion: true })` continues it, or `send` when `message` is set. */
  readonly entries: readonly Json[];
  /** The message of a run that was removed as a whole. */
  readonly message?: readonly Json[] | undefined;
}

/**
 * The log of a session as if its process had died right before a turn's request, or before a message arrived.
 *
 * @throws {RangeError} For a run or a turn that the log does not have.
 */
export function cutLog(log: readonly Json[], { runId, turn, newRunId }: CutPoint): CutLog {
  const start = log.findLastIndex((one) => {
    const entry = asObject(one);
    return entry["type"] === "run" && (runId === undefined || entry["runId"] === runId);
  });
  const run = asObject(log[start]);
  if (start === -1) throw new RangeError(runId === undefined ? "the log has no run" : `the log has no run ${runId}`);
  if (turn === undefined) return { entries: log.slice(0, start), message: asList(run["input"]) as readonly Json[] };
  const own = log.map((one, position) =>
    position > start && asObject(one)["runId"] === run["runId"] ? asObject(one) : {},
  );
  const last = Math.max(0, ...own.map(turnOf));
  if (!Number.isInteger(turn) || turn < 1 || turn > last + 1)
    throw new RangeError(`the run has the turns 1 to ${last}: cut at one of them, or at ${last + 1}`);
  const end = own.findIndex((entry) => turnOf(entry) >= turn);
  // Entries after the last step before the cut do not belong to the state at the cut.
  const kept = own.slice(0, end === -1 ? undefined : end).findLastIndex((entry) => STEPS.has(entry["type"]));
  const renamed = (entry: object): Json => ({ ...entry, ...(newRunId !== undefined && { runId: newRunId }) });
  const since = log.slice(start + 1, kept + 1).map((one, index): Json => {
    const { type } = own[start + 1 + index] ?? {};
    if (STEPS.has(type)) return renamed(own[start + 1 + index] ?? {});
    const entry = asObject(one);
    // Keeps the positions of other entries, since messages to a run refer to them. Messages to the session and unknown entries stay.
    return OF_RUNS.has(entry["type"]) ? { v: ENTRY_VERSION, at: Number(entry["at"]), type: "info" } : one;
  });
  return { entries: [...log.slice(0, start), renamed(run), ...since] };
}

function turnOf({ type, turn, place }: Record<string, unknown>): number {
  const found = type === "turn" ? turn : asObject(place)["turn"];
  return typeof found === "number" ? found : 0;
}

/** Entries that a run is resumed from. Its end adds nothing to its steps. */
const STEPS: ReadonlySet<unknown> = new Set(["begin", "step", "answer", "job", "turn"]);
const OF_RUNS: ReadonlySet<unknown> = new Set([...STEPS, "resume", "end", "run", "rewind"]);
