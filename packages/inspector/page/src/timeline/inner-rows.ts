import { sumKnown } from "../../../src/inspection/cost.ts";
import type { ExchangeRow } from "../../../src/inspection/exchange-details.ts";
import type { InnerRow, StepRow } from "../../../src/inspection/inspection.ts";
import type { TurnProps } from "../session/session-model.ts";

/** A run inside a call, or a turn of it. */
export type InnerTimelineRow = TurnProps & {
  /** Depth of nested calls, from 1. */
  readonly depth: number;
  readonly tokens?: number | undefined;
  readonly cost?: number | undefined;
  readonly ms?: number | undefined;
} & (
    | {
        readonly kind: "inner-run";
        /** Key for toggling it. */
        readonly key: string;
        readonly title: string;
        readonly turns?: number | undefined;
        readonly isOpen: boolean;
      }
    | {
        readonly kind: "inner-turn";
        readonly number?: number | undefined;
        readonly text: string;
        /** Index of its last request in the kept exchanges. */
        readonly n?: number | undefined;
      }
  );

/** Requests of runs inside steps: by outer run, step and inner run. */
export type InnerExchanges = ReadonlyMap<string, ReadonlyMap<string, InnerRuns>>;
type InnerRuns = ReadonlyMap<string, readonly ExchangeRow[]>;

/** Inner runs with more turns are collapsed at first. */
const MAX_OPEN_TURNS = 6;

export function innerExchanges(rows: readonly ExchangeRow[]): InnerExchanges {
  const found = new Map<string, Map<string, Map<string, ExchangeRow[]>>>();
  for (const row of rows) {
    if (row.parent === undefined) continue;
    const steps = getOrAdd(found, row.parent.runId, () => new Map<string, Map<string, ExchangeRow[]>>());
    const runs = getOrAdd(steps, row.parent.step, () => new Map<string, ExchangeRow[]>());
    getOrAdd(runs, row.runId, (): ExchangeRow[] => []).push(row);
  }
  return found;
}

/** The rows below a step: inner runs with their turns, at any depth. */
export function innerRows(
  place: TurnProps,
  step: StepRow,
  kept: InnerExchanges,
  isToggled: (key: string) => boolean,
): readonly InnerTimelineRow[] {
  const logged = step.inner ?? [];
  const title = step.label ?? "";
  const known = kept.get(place.run.runId)?.get(step.name);
  return known === undefined
    ? logged.flatMap((inner, at) => loggedRows(inner, `${place.run.runId} ${step.name} ${at}`))
    : [...known].flatMap(([runId, rows], at) =>
        keptRows(runId, rows, 1, logged.length === known.size ? logged[at] : undefined),
      );

  function runsIn(runId: string): readonly (readonly [runId: string, rows: readonly ExchangeRow[]])[] {
    return [...(kept.get(runId)?.values() ?? [])].flatMap((runs) => [...runs]);
  }

  /** The cost of a run and of those inside it, by the inspector's prices. */
  function costOf(runId: string, rows: readonly ExchangeRow[]): number {
    return runsIn(runId).reduce((sum, run) => sum + costOf(...run), sumOf(rows).cost ?? 0);
  }

  /** @param inLog - Its totals in the log, with runs inside it. @param share - Its recorded cost, relative to the inspector's prices. */
  function keptRows(
    runId: string,
    rows: readonly ExchangeRow[],
    depth: number,
    inLog?: InnerRow,
    share: number = inLog?.cost === undefined ? 1 : inLog.cost / costOf(runId, rows),
  ): readonly InnerTimelineRow[] {
    const turns = new Map<number, ExchangeRow[]>();
    for (const row of rows) getOrAdd(turns, row.turn, (): ExchangeRow[] => []).push(row);
    const isOpen = turns.size <= MAX_OPEN_TURNS !== isToggled(runId);
    const agent = rows[0]?.inner?.agent ?? title;
    const used = sumOf(rows, share);
    const logs = inLog && { tokens: inLog.usage.totalTokens ?? used.tokens, cost: inLog.cost ?? used.cost };
    const head = { ...place, kind: "inner-run", depth, key: runId, title: agent, turns: turns.size, isOpen } as const;
    const shown: InnerTimelineRow[] = [{ ...head, ...used, ...logs }];
    if (!isOpen) return shown;
    const below = runsIn(runId);
    const ends = [...turns.values()].slice(1).map((sent) => sent[0]?.at ?? Infinity);
    for (const [index, [number, sent]] of [...turns].entries()) {
      const last = sent.at(-1);
      const text = last?.inner?.text ?? "";
      shown.push({ ...place, kind: "inner-turn", depth, number, text, n: last?.n, ...sumOf(sent, share) });
      // Runs that started before the next turn belong to this one.
      const from = sent[0]?.at ?? 0;
      for (const [id, own] of below) {
        const at = own[0]?.at ?? 0;
        if (at >= from && at < (ends[index] ?? Infinity)) shown.push(...keptRows(id, own, depth + 1, undefined, share));
      }
    }
    return shown;
  }

  function loggedRows({ usage, cost, texts }: InnerRow, key: string): readonly InnerTimelineRow[] {
    const isOpen = texts.length <= MAX_OPEN_TURNS !== isToggled(key);
    const used = { tokens: usage.totalTokens, cost };
    return [
      { ...place, kind: "inner-run", depth: 1, key, title, turns: usage.requests, isOpen, ...used },
      ...(isOpen ? texts : []).map((text): InnerTimelineRow => ({ ...place, kind: "inner-turn", depth: 1, text })),
    ];
  }
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

function sumOf(rows: readonly ExchangeRow[], share: number = 1): Pick<InnerTimelineRow, "tokens" | "cost" | "ms"> {
  return {
    tokens: sumKnown(rows.map(({ totalTokens }) => totalTokens)),
    cost: sumKnown(rows.map(({ inner }) => inner?.cost && inner.cost * share)),
    ms: sumKnown(rows.map(({ ms }) => ms)),
  };
}
