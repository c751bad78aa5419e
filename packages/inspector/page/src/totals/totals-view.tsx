import { formatMoney } from "../../../src/inspection/cost.ts";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { SessionFigures, Totals, Figures } from "../../../src/inspection/totals.ts";
import { InputField, Notes, Choices } from "../acting/parts.tsx";
import { useInspector, useKeys, useLoad } from "../app/inspector.ts";
import { formatRoute, SESSIONS, type TotalsRoute } from "../app/route.ts";
import { formatCount, formatDuration, formatPercent, formatPlural, formatTokens } from "../ui/format.ts";
import { EndingBadge } from "../ui/endings.tsx";
import { Empty, Waiting, type Figure, FigureList } from "../ui/notes.tsx";
import { FiguresTable, SortTable } from "./figures-table.tsx";

/** Figures of a store's runs in a time span. */
export function TotalsView({ route: { span } }: { readonly route: TotalsRoute }): JSX.Element {
  const inspector = useInspector();
  const { source } = inspector.open.value;
  const [readAt, setReadAt] = useState(Date.now);
  const load = (): Promise<Totals> => source.totals(spanQuery(span, readAt));
  const { value, error } = useLoad(["totals", span, readAt], load, "totals");
  useKeys("Totals", 1, [
    { keys: ["Escape", "u"], does: "Back to all sessions", run: () => inspector.go(SESSIONS) },
    { keys: ["r"], does: "Reload the totals", run: () => setReadAt(Date.now()) },
  ]);
  return (
    <div class="acting stack totals">
      <h1>Totals</h1>
      <Spans span={span} onChange={(next) => inspector.go({ kind: "totals", span: next }, true)} />
      {value === undefined ? (
        <Waiting error={error} retry={() => setReadAt(Date.now())} />
      ) : value.sessions === 0 ? (
        <Empty title="No sessions in this time span">
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
      <Choices label="Time span" value={span} onChange={onChange} options={Object.entries(SPANS)} />
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
      <p class="dim">All ended runs of sessions whose last entry is in this time span. Durations are within 15%.</p>
      <Notes notes={doubtsOf(totals)} look="banner is-odd" />
      <Head totals={totals} money={money} />
      <DayChart days={days} money={money} />
      <Sessions title="Most expensive sessions" rows={mostExpensive} money={money} />
      <Sessions title="Slowest sessions, by their longest run" rows={slowest} money={money} />
      <SortTable
        title="How runs ended"
        columns={[
          {
            title: "Ending",
            value: ({ name = "others" }) => name,
            show: ({ name }) => (name === undefined ? undefined : <EndingBadge ending={name} />),
          },
          { title: "Runs", value: ({ count }) => count, format: formatCount },
          { title: "Share", value: ({ count }) => count, format: (count) => formatPercent(count, runs.count) },
        ]}
        rows={endings}
      />
      <FiguresTable title="By agent" of="Runs" rows={agents} rest="others and active runs" money={money} />
      <FiguresTable title="By model" of="Answers" rows={models} rest="others and broken answers" money={money} />
      <FiguresTable title="By tool" of="Calls" rows={tools} money={money} />
      {owners.some(({ name }) => name !== undefined) && (
        <FiguresTable title="By owner" of="Runs" rows={owners} rest="no owner" money={money} />
      )}
    </>
  );
}

/** Caveats of the figures. */
function doubtsOf({ uncounted, unpriced, isCut, sessions, currencies }: Totals): readonly string[] {
  const names = currencies.map((one) => one || "unknown").join(", ");
  return [
    isCut && `Includes only the last ${formatCount(sessions)} sessions: choose a shorter span.`,
    uncounted > 0 &&
      `Leaves out the runs of ${formatPlural(uncounted, "session")} without a summary, or with one of an older release.`,
    unpriced > 0 && `The cost leaves out answers without a price, in ${formatPlural(unpriced, "session")}.`,
    currencies.length > 1 && `Costs are in different currencies (${names}), so their sums are meaningless.`,
  ].filter((doubt) => doubt !== false);
}

interface HeadProps {
  readonly totals: Totals;
  readonly money: (cost: number) => string;
}

function Head({ totals: { sessions, runs, cost, pricesAsOf }, money }: HeadProps): JSX.Element {
  const { input = 0, cached = 0, output = 0, failed = 0, p50, p90, p99 } = runs;
  const figures: readonly Figure[] = [
    [
      "Cost",
      cost === undefined ? "–" : money(cost),
      pricesAsOf.length === 0 ? undefined : `prices of ${pricesAsOf.join(", ")}`,
    ],
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

interface SessionsProps {
  readonly title: string;
  readonly rows: readonly SessionFigures[];
  readonly money: (cost: number) => string;
}

function Sessions({ title, rows, money }: SessionsProps): JSX.Element | null {
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

/** Time spans to choose from, by their name in the address. */
export const SPANS: Readonly<Record<string, string>> = {
  today: "Today",
  "7d": "7 days",
  "30d": "30 days",
  all: "All",
};

/** A span of days in the address: the first and the last one. */
export const DAYS = /^(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)$/;

/**
 * The query for a span. Days start at midnight, local time.
 *
 * @param now - In milliseconds since the epoch.
 */
export function spanQuery(span: string, now: number): URLSearchParams {
  const [, first, last] = DAYS.exec(span) ?? [];
  if (first !== undefined && last !== undefined) {
    const [from, to] = [startOf(first, 0), startOf(last, 1)];
    return new URLSearchParams(from > 0 && to > from ? { from: String(from), to: String(to) } : {});
  }
  const days = span === "today" ? 0 : span === "30d" ? 29 : span === "all" ? undefined : 6;
  if (days === undefined) return new URLSearchParams();
  const start = new Date(now);
  start.setHours(0, 0, 0, 0);
  start.setDate(start.getDate() - days);
  return new URLSearchParams({ from: String(start.getTime()) });
}

/** Midnight at the start of a day, or some days later; 0 for an invalid day. */
function startOf(day: string, later: number): number {
  const date = new Date(`${day}T00:00:00`);
  date.setDate(date.getDate() + later);
  return Math.max(0, date.getTime()) || 0;
}

const SHOWN = {
  Cost: ({ cost = 0 }: Figures) => cost,
  Runs: ({ count }: Figures) => count,
  Tokens: ({ input = 0, output = 0 }: Figures) => input + output,
} as const;

const NAMES = ["Cost", "Runs", "Tokens"] as const;
const HEIGHT = 110;

interface DayChartProps {
  readonly days: readonly Figures[];
  readonly money: (cost: number) => string;
}

/** A bar for each day, with a table of the same values. */
export function DayChart({ days, money }: DayChartProps): JSX.Element {
  const [name, choose] = useState<keyof typeof SHOWN>(days.some(({ cost }) => cost !== undefined) ? "Cost" : "Runs");
  const formats = { Cost: money, Runs: formatCount, Tokens: formatTokens };
  const [of, format] = [SHOWN[name], formats[name]];
  const most = days.reduce((largest, day) => Math.max(largest, of(day)), 0);
  const width = Math.min(48, 960 / days.length);
  return (
    <section aria-label="By day">
      <h2>By day</h2>
      <p class="dim">By the day of a session's last entry, in UTC. The highest bar is {format(most)}.</p>
      <Choices
        label="Values of the bars"
        value={name}
        onChange={(one) => choose(NAMES.find((known) => known === one) ?? "Cost")}
        options={NAMES.map((one) => [one, one])}
      />
      <svg
        class="day-chart"
        role="img"
        aria-label={`${name} by day: the table below has the figures`}
        viewBox={`0 0 ${Math.max(1, width * days.length)} ${HEIGHT}`}
        style={{ width: `${Math.max(1, width * days.length)}px` }}
        preserveAspectRatio="none"
      >
        {days.map((day, index) => {
          const height = most === 0 ? 0 : Math.max(1, (HEIGHT * of(day)) / most);
          return (
            <rect key={day.name} x={index * width} y={HEIGHT - height} width={width * 0.8} height={height}>
              <title>
                {day.name}: {format(of(day))}
              </title>
            </rect>
          );
        })}
      </svg>
      <details>
        <summary>Days as a table</summary>
        <SortTable
          title="Days"
          columns={[
            { title: "Day", value: ({ name: day = "" }) => day },
            ...NAMES.map((one) => ({ title: one, value: SHOWN[one], format: formats[one] })),
            { title: "Failed", value: ({ failed = 0 }) => failed, format: formatCount },
          ]}
          rows={days}
        />
      </details>
    </section>
  );
}
