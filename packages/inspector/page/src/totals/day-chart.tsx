import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Figures } from "../../../src/inspection/totals.ts";
import { formatCount, formatTokens } from "../ui/format.ts";
import { SortTable } from "./figures-table.tsx";

const SHOWN = {
  Cost: ({ cost = 0 }: Figures) => cost,
  Runs: ({ count }: Figures) => count,
  Tokens: ({ input = 0, output = 0 }: Figures) => input + output,
} as const;

const NAMES = ["Cost", "Runs", "Tokens"] as const;
const HEIGHT = 110;

/** A bar for each day, and the same as a table. */
export function DayChart({
  days,
  money,
}: {
  readonly days: readonly Figures[];
  readonly money: (cost: number) => string;
}): JSX.Element {
  const [name, choose] = useState<keyof typeof SHOWN>("Cost");
  const formats = { Cost: money, Runs: formatCount, Tokens: formatTokens };
  const [of, format] = [SHOWN[name], formats[name]];
  const most = days.reduce((largest, day) => Math.max(largest, of(day)), 0);
  const width = Math.min(48, 960 / days.length);
  return (
    <section aria-label="By day">
      <h2>By day</h2>
      <p class="dim">The day on which a session was last written to, in UTC. The highest bar is {format(most)}.</p>
      <div class="filters wrap is-tight" role="group" aria-label="What the bars show">
        {NAMES.map((one) => (
          <button key={one} type="button" aria-pressed={one === name} onClick={() => choose(one)}>
            {one}
          </button>
        ))}
      </div>
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
