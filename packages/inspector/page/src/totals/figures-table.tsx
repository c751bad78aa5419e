import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import type { Figures } from "../../../src/inspection/totals.ts";
import { formatRoute, SESSIONS } from "../app/route.ts";
import { formatCount, formatDuration, formatPercent, formatTokens } from "../ui/format.ts";

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | undefined;
  /** Formats numbers. */
  readonly format?: ((value: number) => string) | undefined;
  /** Replaces the value. */
  readonly show?: ((row: Row) => ComponentChildren) | undefined;
}

interface SortTableProps<Row> {
  readonly title: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
}

/** A table that sorts by a click on a header: largest first, then smallest. */
export function SortTable<Row>({ title, columns, rows }: SortTableProps<Row>): JSX.Element {
  const [sorted, sort] = useState<{ readonly at: number; readonly isUp: boolean }>();
  const by = sorted && columns[sorted.at];
  const shown = by === undefined ? rows : rows.toSorted((a, b) => compare(by.value(a), by.value(b)));
  const inOrder = sorted?.isUp === false ? shown.toReversed() : shown;
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <div class="totals-table" tabIndex={0} role="region" aria-label={`${title}, table`}>
        <table>
          <thead>
            <tr>
              {columns.map((column, at) => (
                <th
                  key={column.title}
                  scope="col"
                  aria-sort={sorted?.at !== at ? "none" : sorted.isUp ? "ascending" : "descending"}
                >
                  <button
                    type="button"
                    class="quiet"
                    onClick={() => sort({ at, isUp: sorted?.at === at && !sorted.isUp })}
                  >
                    {column.title}
                    <span aria-hidden="true">{sorted?.at !== at ? "" : sorted.isUp ? " ↑" : " ↓"}</span>
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {inOrder.map((row, index) => (
              <tr key={index}>
                {columns.map((column, at) => (
                  <td key={column.title} class={at === 0 ? "totals-name cut" : "number"}>
                    {column.show?.(row) ?? text(column, row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function text<Row>({ value, format = String }: Column<Row>, row: Row): string {
  const is = value(row);
  return is === undefined ? "–" : typeof is === "number" ? format(is) : is;
}

function compare(a: string | number = -1, b: string | number = -1): number {
  return typeof a === "number" && typeof b === "number" ? a - b : String(a) < String(b) ? -1 : 1;
}

interface FiguresTableProps {
  readonly title: string;
  /** Title of the column with counts. */
  readonly of: string;
  readonly rows: readonly Figures[];
  /** Title of the row without a name. */
  readonly rest?: string | undefined;
  readonly money: (cost: number) => string;
}

/** Figures by name; each name links to a search for its sessions. */
export function FiguresTable({ title, of, rows, rest = "others", money }: FiguresTableProps): JSX.Element | null {
  if (rows.length === 0) return null;
  const columns: readonly Column<Figures>[] = [
    {
      title: "Name",
      value: ({ name = rest }) => name,
      show: ({ name }) =>
        name === undefined ? (
          <span class="dim">{rest}</span>
        ) : (
          <a href={formatRoute({ ...SESSIONS, search: name })}>{name}</a>
        ),
    },
    { title: of, value: ({ count }) => count, format: formatCount },
    { title: "Failed", value: ({ failed = 0 }) => failed, format: formatCount },
    { title: "Cost", value: ({ cost }) => cost, format: money },
    { title: "Tokens", value: ({ input = 0, output = 0 }) => input + output, format: formatTokens },
    {
      title: "Cached",
      value: ({ input = 0, cached = 0 }) => (input === 0 ? undefined : cached / input),
      format: (share) => formatPercent(share, 1),
    },
    { title: "Median", value: ({ p50 }) => p50, format: formatDuration },
    { title: "90%", value: ({ p90 }) => p90, format: formatDuration },
    { title: "99%", value: ({ p99 }) => p99, format: formatDuration },
  ];
  return <SortTable title={title} columns={columns} rows={rows} />;
}
