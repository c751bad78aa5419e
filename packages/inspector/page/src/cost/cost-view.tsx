import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { formatCost, formatMoney, type Priced } from "../../../src/inspection/cost.ts";
import type { OtherCost, RunRow, SessionOverview, TurnRow } from "../../../src/inspection/inspection.ts";
import type { CacheEstimate } from "../../../src/inspection/prefix-cost.ts";
import { type TurnUsage, USAGE_NAMES } from "../../../src/inspection/usage.ts";
import { useLoad } from "../app/inspector.ts";
import { formatRoute, turnRoute } from "../app/route.ts";
import { Limits } from "../turn/run-view.tsx";
import { formatCount, formatDuration, formatPercent, formatPlural, formatTokens, turnTitle } from "../ui/format.ts";
import { moneyNote } from "../ui/money.tsx";
import { Empty, type Figure, FigureList } from "../ui/notes.tsx";
import { type Column, Grid } from "../ui/grid.tsx";
import type { SessionPanelProps } from "../session/session-model.ts";

type CostRow =
  | { readonly kind: "run"; readonly run: RunRow; readonly number: number }
  | { readonly kind: "turn"; readonly run: RunRow; readonly turn: TurnRow }
  | { readonly kind: "other"; readonly run: RunRow; readonly other: OtherCost };

/** The cost of a session by run and turn. */
export function CostView({ session, overview }: SessionPanelProps): JSX.Element {
  // Null without prices or requests.
  const { value: estimate = null } = useLoad(["cache", session.id, overview.exchanges], () =>
    session.source.view<CacheEstimate | null>(session.id, "cache-estimate"),
  );
  const rows = useMemo(() => costRows(overview.runs), [overview.runs]);
  const largest = useMemo(
    () => rows.reduce((most, row) => (row.kind === "turn" ? Math.max(most, tokensOf(row.turn.usage)) : most), 1),
    [rows],
  );
  if (rows.length === 0) return <Empty title="No runs yet" />;
  const last = overview.runs.at(-1);
  return (
    <div class="cost fill">
      <div class="cost-top wrap">
        <Figures of={overview} />
        <Costliest id={session.id} runs={overview.runs} />
        {last !== undefined && <Limits limits={last.limits} currency={last.currency} />}
        {estimate !== null && <Estimate estimate={estimate} />}
      </div>
      <div class="fill">
        <Grid
          name="cost"
          label="Tokens and cost by turn"
          items={rows}
          columns={columnsOf(session.id, largest)}
          height={26}
          look={({ kind }) => (kind === "run" ? "cost-run" : "")}
        />
      </div>
    </div>
  );
}

function costRows(runs: readonly RunRow[]): readonly CostRow[] {
  return runs.flatMap((run, index): readonly CostRow[] => [
    { kind: "run", run, number: index + 1 },
    ...run.turns.map((turn): CostRow => ({ kind: "turn", run, turn })),
    ...(run.otherCosts ?? []).map((other): CostRow => ({ kind: "other", run, other })),
  ]);
}

function tokensOf({ inputTokens = 0, outputTokens = 0, thoughtTokens = 0, toolUseTokens = 0 }: TurnUsage): number {
  return inputTokens + outputTokens + thoughtTokens + toolUseTokens;
}

function Figures({ of: overview }: { readonly of: SessionOverview }): JSX.Element {
  const { inputTokens, cachedTokens, outputTokens, thoughtTokens, toolUseTokens, searchQueries, requests } =
    overview.usage;
  const figures: readonly Figure[] = [
    ["Cost", formatCost(overview, overview.currency), moneyNote(overview)],
    ["Prompt tokens", formatCount(inputTokens)],
    ["Cached", formatCount(cachedTokens), `${formatPercent(cachedTokens, inputTokens)} of prompts`],
    ["Output", formatCount(outputTokens)],
    ["Thoughts", formatCount(thoughtTokens)],
  ];
  const others = { "Tool use": toolUseTokens, "Search queries": searchQueries, Requests: requests };
  const used = Object.entries(others).filter(([, count]) => count > 0);
  return <FigureList figures={[...figures, ...used.map(([name, count]): Figure => [name, formatCount(count)])]} />;
}

/** The turn with the highest cost, or with the most tokens if no cost is known. */
function Costliest({ id, runs }: { readonly id: string; readonly runs: readonly RunRow[] }): JSX.Element | null {
  const turns = runs.flatMap((run) => run.turns.map((turn) => ({ run, turn })));
  const isPriced = turns.some(({ turn }) => turn.cost !== undefined);
  const sizeOf = ({ turn }: (typeof turns)[number]): number => (isPriced ? (turn.cost ?? 0) : tokensOf(turn.usage));
  if (turns.length < 2) return null;
  const most = turns.reduce((largest, one) => (sizeOf(one) > sizeOf(largest) ? one : largest));
  const size = sizeOf(most);
  return (
    <p class="costliest">
      {isPriced ? "Costliest" : "Largest"} turn:{" "}
      <a href={formatRoute(turnRoute(id, most.run, most.turn))}>{turnTitle(most.turn)}</a>,{" "}
      <b>{isPriced ? formatMoney(size, most.run.currency) : formatPlural(size, "token")}</b>{" "}
      <span class="dim">{most.turn.text.slice(0, 120)}</span>
    </p>
  );
}

function Estimate({ estimate }: { readonly estimate: CacheEstimate }): JSX.Element {
  const { tokens, hours, billed, withCache, currency } = estimate;
  const money = (cost: number): string => formatMoney(cost, currency);
  const isCheaper = withCache < billed;
  return (
    <section class="estimate" aria-label="Explicit cache">
      <h3>With an explicit cache</h3>
      <p>
        Caching the first {formatCount(tokens)} tokens for {formatDuration(hours * 3_600_000)} would have made the
        prompts cost <b>{money(withCache)}</b> instead of {money(billed)}: {money(Math.abs(billed - withCache))}{" "}
        {isCheaper ? "less" : "more"} (an estimate).
      </p>
    </section>
  );
}

function columnsOf(id: string, largest: number): readonly Column<CostRow>[] {
  return [
    { title: "Turn", look: "cost-name row", cell: (row) => <Name row={row} id={id} /> },
    {
      title: "Share",
      look: "cost-share",
      titleOf: (row) => `${formatCount(tokensOf(partOf(row).usage))} tokens`,
      cell: (row) => row.kind !== "run" && <Share usage={partOf(row).usage} largest={largest} />,
    },
    ...USAGE_NAMES.map(([title, name]) => ({
      title: title[0]?.toUpperCase() + title.slice(1),
      class: "number",
      cell: (row: CostRow) => {
        const value = partOf(row).usage[name] ?? 0;
        return value === 0 ? <span class="dim">–</span> : formatTokens(value);
      },
    })),
    {
      title: "Cost",
      class: "number",
      titleOf: (row) => moneyNote(partOf(row)),
      cell: (row) => formatCost(partOf(row), row.run.currency),
    },
  ];
}

/** The run, turn or other cost of a row. */
function partOf(row: CostRow): Priced & { readonly usage: TurnUsage } {
  return row.kind === "turn" ? row.turn : row.kind === "other" ? row.other : row.run;
}

function Name({ row, id }: { readonly row: CostRow; readonly id: string }): JSX.Element {
  const turn = row.kind === "turn" ? row.turn : undefined;
  const title = row.kind === "run" ? `Run ${row.number}: ${row.run.input}` : row.kind === "other" ? row.other.what : "";
  return (
    <>
      <a class="cut" href={formatRoute(turnRoute(id, row.run, turn))} tabIndex={-1}>
        {turn === undefined ? title : turnTitle(turn)}
      </a>
      {turn !== undefined && <span class="dim cut">{turn.text}</span>}
    </>
  );
}

/** A turn's tokens by kind, relative to the largest turn. */
function Share({ usage, largest }: { readonly usage: TurnUsage; readonly largest: number }): JSX.Element {
  const { inputTokens = 0, cachedTokens = 0, outputTokens = 0, thoughtTokens = 0, toolUseTokens = 0 } = usage;
  const parts = [
    ["cached", cachedTokens],
    ["prompt", Math.max(0, inputTokens - cachedTokens)],
    ["tool", toolUseTokens],
    ["thoughts", thoughtTokens],
    ["output", outputTokens],
  ] as const;
  return (
    <span class="share" aria-hidden="true">
      {parts.map(
        ([name, value]) =>
          value > 0 && (
            <span
              key={name}
              class={`share-${name}`}
              style={{ width: `${(100 * value) / largest}%` }}
              title={`${name}: ${formatCount(value)}`}
            />
          ),
      )}
    </span>
  );
}
