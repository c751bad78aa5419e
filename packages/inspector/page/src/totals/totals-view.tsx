import { formatMoney } from "../../../src/inspection/cost.ts";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { SessionFigures, Totals } from "../../../src/inspection/totals.ts";
import { InputField, Notes } from "../acting/parts.tsx";
import { useInspector } from "../app/inspector.ts";
import { useLoad } from "../app/use-load.ts";
import { formatRoute, SESSIONS, type TotalsRoute } from "../app/route.ts";
import { useKeys } from "../app/use-keys.ts";
import { formatCount, formatDuration, formatPercent, formatPlural, formatTokens } from "../ui/format.ts";
import { type Figure, FigureList } from "../ui/figure-list.tsx";
import { Empty, Failure, Loading } from "../ui/notes.tsx";
import { DayChart } from "./day-chart.tsx";
import { FiguresTable, SortTable } from "./figures-table.tsx";
import { DAYS, spanQuery, SPANS } from "./span.ts";

/** What the runs of a store did and cost in a span of time. */
export function TotalsView({ route: { span } }: { readonly route: TotalsRoute }): JSX.Element {
  const inspector = useInspector();
  const { source } = inspector.open.value;
  const [readAt, setReadAt] = useState(Date.now);
  const load = (): Promise<Totals> => source.totals(spanQuery(span, readAt));
  const { value, error } = useLoad(["totals", span, readAt], load, "totals");
  useKeys("Totals", 1, [
    { keys: ["Escape", "u"], does: "To all sessions", run: () => inspector.go(SESSIONS) },
    { keys: ["r"], does: "Count again", run: () => setReadAt(Date.now()) },
  ]);
  return (
    <div class="acting stack totals">
      <h1>Totals</h1>
      <Spans span={span} onChange={(next) => inspector.go({ kind: "totals", span: next }, true)} />
      {error !== undefined ? (
        <Failure error={error} retry={() => setReadAt(Date.now())} />
      ) : value === undefined ? (
        <Loading />
      ) : value.sessions === 0 ? (
        <Empty title="No session was written to in this time">
          <p>Choose a longer span.</p>
        </Empty>
      ) : (
        <Shown totals={value} />
      )}
    </div>
  );
}

function Spans({ span, onChange }: { readonly span: string; readonly onChange: (span: string) => void }): JSX.Element {
  const [, first = "", last = ""] = DAYS.exec(span) ?? [];
  const [from, setFrom] = useState(first);
  const [to, setTo] = useState(last);
  const change = (nextFrom: string, nextTo: string): void => {
    setFrom(nextFrom);
    setTo(nextTo);
    if (DAYS.test(`${nextFrom}..${nextTo}`)) onChange(`${nextFrom}..${nextTo}`);
  };
  return (
    <div class="bar wrap">
      <div class="filters wrap is-tight" role="group" aria-label="Span of time">
        {Object.entries(SPANS).map(([name, title]) => (
          <button key={name} type="button" aria-pressed={name === span} onClick={() => onChange(name)}>
            {title}
          </button>
        ))}
      </div>
      <InputField label="From" type="date" value={from} onChange={(day) => change(day, to)} />
      <InputField label="To" type="date" value={to} onChange={(day) => change(from, day)} />
    </div>
  );
}

function Shown({ totals }: { readonly totals: Totals }): JSX.Element {
  const { runs, endings, agents, models, tools, owners, days, mostExpensive, slowest, currencies } = totals;
  const [currency] = currencies.length === 1 ? currencies : [];
  const money = (cost: number): string => formatMoney(cost, currency || undefined);
  return (
    <>
      <p class="dim">
        Sessions that were last written to in this time, with all of their runs that have ended. Times are within 15%.
      </p>
      <Notes notes={doubtsOf(totals)} look="banner is-odd" />
      <Head totals={totals} money={money} />
      <DayChart days={days} money={money} />
      <Sessions title="Most expensive sessions" rows={mostExpensive} money={money} />
      <Sessions title="Slowest sessions, by their longest run" rows={slowest} money={money} />
      <SortTable
        title="How runs ended"
        columns={[
          { title: "Ending", value: ({ name = "others" }) => name },
          { title: "Runs", value: ({ count }) => count, format: formatCount },
          { title: "Share", value: ({ count }) => count, format: (count) => formatPercent(count, runs.count) },
        ]}
        rows={endings}
      />
      <FiguresTable title="By agent" of="Runs" rows={agents} money={money} />
      <FiguresTable title="By model" of="Answers" rows={models} money={money} />
      <FiguresTable title="By tool" of="Calls" rows={tools} money={money} />
      {owners.some(({ name }) => name !== undefined) && (
        <FiguresTable title="By owner" of="Runs" rows={owners} rest="no owner" money={money} />
      )}
    </>
  );
}

/** What the figures leave out. */
function doubtsOf({ uncounted, unpriced, isCut, sessions, currencies }: Totals): readonly string[] {
  return [
    ...(isCut ? [`Only the last ${formatCount(sessions)} sessions are counted: choose a shorter span.`] : []),
    ...(uncounted > 0
      ? [
          `${formatPlural(uncounted, "session")} written by an older release: what they cost is counted, their runs are not.`,
        ]
      : []),
    ...(unpriced > 0
      ? [`In ${formatPlural(unpriced, "session")} a model has no price: what it cost is not in the sum.`]
      : []),
    ...(currencies.length > 1
      ? [
          `Costs are in different currencies (${currencies.map((one) => one || "one that is not known").join(", ")}): sums of them mean nothing.`,
        ]
      : []),
  ];
}

function Head({
  totals: { sessions, runs, cost, pricesAsOf },
  money,
}: {
  readonly totals: Totals;
  readonly money: (cost: number) => string;
}): JSX.Element {
  const { input = 0, cached = 0, output = 0, failed = 0, p50, p90, p99 } = runs;
  const figures: readonly Figure[] = [
    ["Cost", money(cost), pricesAsOf.length === 0 ? undefined : `prices of ${pricesAsOf.join(", ")}`],
    ["Sessions", formatCount(sessions)],
    ["Runs", formatCount(runs.count)],
    ["Failed", formatCount(failed), formatPercent(failed, runs.count)],
    ["Prompt tokens", formatTokens(input), `${formatPercent(cached, input)} cached`],
    ["Output tokens", formatTokens(output)],
    ["Run time, median", p50 === undefined ? "–" : formatDuration(p50)],
    ["90%", p90 === undefined ? "–" : formatDuration(p90)],
    ["99%", p99 === undefined ? "–" : formatDuration(p99)],
  ];
  return <FigureList figures={figures} />;
}

function Sessions({
  title,
  rows,
  money,
}: {
  readonly title: string;
  readonly rows: readonly SessionFigures[];
  readonly money: (cost: number) => string;
}): JSX.Element | null {
  if (rows.length === 0) return null;
  return (
    <SortTable
      title={title}
      columns={[
        {
          title: "Session",
          value: ({ id, title: name = id }) => name,
          show: ({ id, title: name = id }) => (
            <a href={formatRoute({ kind: "session", id, tab: "" })} title={id}>
              {name}
            </a>
          ),
        },
        { title: "Cost", value: ({ cost }) => cost, format: money },
        { title: "Longest run", value: ({ slowest }) => slowest, format: formatDuration },
        { title: "Runs", value: ({ runs }) => runs, format: formatCount },
        { title: "Tokens", value: ({ tokens }) => tokens, format: formatTokens },
      ]}
      rows={rows}
    />
  );
}
