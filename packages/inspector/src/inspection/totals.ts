import type { SessionSummary, TotalsRow } from "@pollux/core";
import { percentileOf, sumTotals } from "@pollux/core/doctor";
import { isMoney } from "./cost.ts";

/** Figures of a store's sessions, from their summaries alone. */
export interface Totals {
  readonly sessions: number;
  /** Sessions that count toward the cost at most, because an older release wrote them last, or their summary is missing. */
  readonly uncounted: number;
  /** There are more sessions than were read. */
  readonly isCut: boolean;
  /** Of all sessions, in the unit of the price table; absent when nothing has a price. */
  readonly cost?: number | undefined;
  /** Sessions with answers without a price, which `cost` leaves out. */
  readonly unpriced: number;
  /** Codes of the currencies of all costs; "" for an unknown one. With more than one, `cost` is no valid sum. */
  readonly currencies: readonly string[];
  /** Days of the price lists. */
  readonly pricesAsOf: readonly string[];
  /** All runs. */
  readonly runs: Figures;
  readonly endings: readonly Figures[];
  readonly agents: readonly Figures[];
  readonly models: readonly Figures[];
  readonly tools: readonly Figures[];
  /** By owner; sessions without an owner have no name. */
  readonly owners: readonly Figures[];
  /** By the day of the session's last entry, in UTC, oldest first. */
  readonly days: readonly Figures[];
  readonly mostExpensive: readonly SessionFigures[];
  readonly slowest: readonly SessionFigures[];
}

/** What happened under one name. */
export interface Figures extends Omit<TotalsRow, "kind" | "times"> {
  /** Milliseconds, to 15%; absent if nothing was timed. */
  readonly p50?: number | undefined;
  readonly p90?: number | undefined;
  readonly p99?: number | undefined;
}

/** A session among others. */
export interface SessionFigures {
  readonly id: string;
  readonly title?: string | undefined;
  readonly runs: number;
  readonly tokens: number;
  /** Absent when nothing in it has a price. */
  readonly cost?: number | undefined;
  /** Its longest run, in milliseconds; absent if unknown. */
  readonly slowest?: number | undefined;
}

const MOST_ROWS = 100;
const MOST_SESSIONS = 20;

/** @param summaries - In any order. */
export function addUpTotals(summaries: readonly SessionSummary[], isCut: boolean = false): Totals {
  const wholes = summaries.map((summary) => ({ summary, whole: wholeOf(summary) }));
  const rows = sumTotals(
    summaries.flatMap(({ totals = [] }) => totals),
    Infinity,
  );
  const by = (name: (summary: SessionSummary) => string | undefined): readonly TotalsRow[] =>
    sumTotals(
      wholes.map(({ summary, whole }) => ({ ...whole, name: name(summary) })),
      Infinity,
    );
  const sessions = wholes.map(({ summary: { id, title, totalTokens = 0, cost }, whole }) => {
    const slowest = percentileOf(whole.times, 1);
    // A summary without any priced answer says 0.
    return { id, title, runs: whole.count, tokens: totalTokens, cost: cost === 0 ? undefined : cost, slowest };
  });
  const top = (of: (session: SessionFigures) => number): readonly SessionFigures[] =>
    sessions
      .filter((session) => of(session) > 0)
      .toSorted((a, b) => of(b) - of(a) || (a.id < b.id ? -1 : 1))
      .slice(0, MOST_SESSIONS);
  const [runs = { kind: "agent", count: 0 }] = by(() => undefined);
  const kind = (name: TotalsRow["kind"]): readonly TotalsRow[] => rows.filter((row) => row.kind === name);
  /** All runs by name. The row without a name has the rest: broken answers, active runs, sessions without totals. */
  const parts = (name: "agent" | "model"): readonly Figures[] => {
    const left = (figure: "input" | "cached" | "output" | "cost"): number => {
      const whole = runs[figure] ?? 0;
      const rest = kind(name).reduce((sum, row) => sum - (row[figure] ?? 0), whole);
      return rest > 0 && isMoney(rest, whole) ? rest : 0;
    };
    const rest = { input: left("input"), cached: left("cached"), output: left("output"), cost: left("cost") };
    const all = sumTotals([...kind(name), { kind: name, count: 0, ...rest }], Infinity);
    return largest(all.filter((row) => row.count + tokensOf(row) + (row.cost ?? 0) > 0));
  };
  return {
    sessions: summaries.length,
    uncounted: summaries.filter(({ totals, turns }) => totals === undefined && turns !== 0).length,
    isCut,
    cost: runs.cost,
    unpriced: summaries.filter(isUnpriced).length,
    currencies: distinct(summaries.flatMap(({ cost = 0, currency = "" }) => (cost > 0 ? [currency] : []))),
    pricesAsOf: distinct(summaries.flatMap(({ pricesAsOf = [] }) => pricesAsOf)),
    runs: figuresOf(runs),
    endings: largest(kind("ending")),
    agents: parts("agent"),
    models: parts("model"),
    tools: largest(kind("tool")),
    owners: largest(by(({ owner }) => owner)),
    days: by(({ updatedAt }) => new Date(updatedAt).toISOString().slice(0, 10))
      .toSorted((a, b) => ((a.name ?? "") < (b.name ?? "") ? -1 : 1))
      .map(figuresOf),
    mostExpensive: top(({ cost = 0 }) => cost),
    slowest: top(({ slowest = 0 }) => slowest),
  };
}

/** A run of an agent without prices records neither a cost nor what has no price. */
function isUnpriced({ unpriced, cost = 0, pricesAsOf, totalTokens = 0 }: SessionSummary): boolean {
  return unpriced !== undefined || (cost === 0 && pricesAsOf === undefined && totalTokens > 0);
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)].toSorted();
}

/** All runs of a session as one row; the cost includes an active run. */
function wholeOf({ totals = [], cost }: SessionSummary): TotalsRow {
  const agents = totals.filter(({ kind }) => kind === "agent");
  const [whole = { kind: "agent", count: 0 }] = sumTotals(agents.map(({ name: _, ...row }) => row));
  return { ...whole, cost };
}

function largest(rows: readonly TotalsRow[]): readonly Figures[] {
  return rows
    .toSorted((a, b) => (b.cost ?? 0) - (a.cost ?? 0) || tokensOf(b) - tokensOf(a) || b.count - a.count)
    .slice(0, MOST_ROWS)
    .map(figuresOf);
}

function tokensOf({ input = 0, output = 0 }: TotalsRow): number {
  return input + output;
}

function figuresOf({ kind: _, times, ...row }: TotalsRow): Figures {
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => percentileOf(times, share));
  return { ...row, p50, p90, p99 };
}
