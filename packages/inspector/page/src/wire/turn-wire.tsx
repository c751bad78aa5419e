import type { JSX } from "preact";
import type { ExchangeRow } from "../../../src/inspection/exchange-details.ts";
import { useSession } from "../session/session-model.ts";
import { formatDuration } from "../ui/format.ts";
import { Empty } from "../ui/notes.tsx";
import { ExchangePane } from "./exchange-pane.tsx";
import { endOf, stepOf } from "./exchange-rows.ts";
import { NoExchanges } from "./wire-view.tsx";

/** The requests of one turn. */
export function TurnWire({
  rows,
  selected,
  onSelect,
}: {
  readonly rows: readonly ExchangeRow[];
  readonly selected: number | undefined;
  readonly onSelect: (n: number) => void;
}): JSX.Element {
  if (useSession().exchanges.value.length === 0) return <NoExchanges />;
  const current = rows.find(({ n }) => n === selected) ?? rows.at(-1);
  if (current === undefined)
    return (
      <Empty title="No request of this turn was kept">
        <p>Others of the session were: see its wire tab.</p>
      </Empty>
    );
  return (
    <>
      {rows.length > 1 && (
        <ul class="turn-requests wrap is-tight" aria-label="Requests of the turn">
          {rows.map((row) => (
            <li key={row.n}>
              <button type="button" aria-pressed={row.n === current.n} onClick={() => onSelect(row.n)}>
                <span class="mono">{stepOf(row)}</span>
                <span class={endOf(row).isBad ? "bad" : "dim"}>{endOf(row).text}</span>
                <span class="dim">{formatDuration(row.ms)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <ExchangePane n={current.n} key={current.n} />
    </>
  );
}
