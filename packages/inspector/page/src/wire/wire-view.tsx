import { useSignal } from "@preact/signals";
import type { CSSProperties, JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { ExchangeRow } from "../../../src/inspection/exchange-details.ts";
import type { TurnRow } from "../../../src/inspection/inspection.ts";
import { useInspector } from "../app/inspector.ts";
import { useKeys } from "../app/use-keys.ts";
import type { SessionPanelProps } from "../session/panel-props.ts";
import { formatBytes, formatDuration, formatTime, formatTokens, turnTitle } from "../ui/format.ts";
import { Empty } from "../ui/notes.tsx";
import { ItemRows } from "../ui/virtual-rows.tsx";
import { ExchangePane } from "./exchange-pane.tsx";
import { endOf, stepOf } from "./exchange-rows.ts";

/** All kept requests of a session. */
export function WireView({ session, route }: SessionPanelProps): JSX.Element {
  const inspector = useInspector();
  const onlyOdd = useSignal(false);
  const all = session.exchanges.value;
  const rows = useMemo(
    () => (onlyOdd.value ? all.filter((row) => row.brokenAt !== undefined || endOf(row).isBad) : all),
    [all, onlyOdd.value],
  );
  const found = rows.findIndex(({ n }) => n === route.item);
  const current = found === -1 ? rows.length - 1 : found;
  const go = (index: number, isReplaced: boolean = true): void => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (row !== undefined) inspector.go({ kind: "session", id: session.id, tab: "wire", item: row.n }, isReplaced);
  };
  useKeys("Wire", 2, [
    { keys: ["j", "ArrowDown"], does: "Next request", run: () => go(current + 1) },
    { keys: ["k", "ArrowUp"], does: "Previous request", run: () => go(current - 1) },
    { keys: ["g", "Home"], does: "First request", run: () => go(0) },
    { keys: ["G", "End"], does: "Last request", run: () => go(rows.length - 1) },
    {
      keys: ["f"],
      does: "Only broken prefixes and failures, or all",
      run: () => void (onlyOdd.value = !onlyOdd.value),
    },
  ]);
  if (all.length === 0) return <NoExchanges />;
  const breaks = all.filter(({ brokenAt }) => brokenAt !== undefined).length;
  const failures = all.filter((row) => endOf(row).isBad).length;
  const row = rows[current];
  return (
    <div class="split">
      <section class="timeline" aria-label="Requests">
        <div class="bar">
          <button type="button" aria-pressed={onlyOdd.value} onClick={() => (onlyOdd.value = !onlyOdd.value)}>
            Only {breaks} broken {breaks === 1 ? "prefix" : "prefixes"} and {failures}{" "}
            {failures === 1 ? "failure" : "failures"}
          </button>
        </div>
        <div class="fill">
          {rows.length === 0 ? (
            <Empty title="No prefix broke, and no request failed" />
          ) : (
            <ItemRows
              class="exchange-rows"
              items={rows}
              height={28}
              selected={current}
              attributes={{
                role: "grid",
                tabIndex: 0,
                "aria-label": "Requests",
                "aria-rowcount": rows.length + 1,
                "aria-activedescendant": `exchange-${current}`,
              }}
              head={<Head />}
              row={(one, index, style) => (
                <Line
                  key={index}
                  row={one}
                  turn={session.turnOf(one)}
                  index={index}
                  isSelected={index === current}
                  style={style}
                  onSelect={() => go(index, false)}
                />
              )}
            />
          )}
        </div>
      </section>
      <section class="details" aria-label="Request and answer">
        {row !== undefined && (
          <ExchangePane n={row.n} key={row.n} onGo={(n) => go(rows.findIndex((one) => one.n === n))} />
        )}
      </section>
    </div>
  );
}

/** Why there are no requests to show, and how to have them. */
export function NoExchanges(): JSX.Element {
  return (
    <Empty title="The requests of this session were not kept">
      <p>Give the agent an observer that keeps them, and tell the inspector where they are:</p>
      <pre tabIndex={0} role="region" aria-label="Example">{`const agent = new Agent({
  model: "gemini-flash-latest",
  observers: [keepExchanges(new JsonlStore("exchanges"))],
});

pollux inspect sessions --exchanges exchanges`}</pre>
    </Empty>
  );
}

function Head(): JSX.Element {
  return (
    <div class="exchange-row exchange-head" role="row" aria-rowindex={1}>
      <span role="columnheader">#</span>
      <span role="columnheader">Turn and step</span>
      <span role="columnheader">Status</span>
      <span role="columnheader" class="number" title="Bytes that the request before has too, and bytes that are new">
        Shared + new
      </span>
      <span role="columnheader" class="number" title="Prompt tokens that were billed as cached">
        Cached
      </span>
      <span role="columnheader" class="number">
        Time
      </span>
    </div>
  );
}

function Line({
  row,
  turn,
  index,
  isSelected,
  style,
  onSelect,
}: {
  readonly row: ExchangeRow;
  readonly turn: TurnRow | undefined;
  readonly index: number;
  readonly isSelected: boolean;
  readonly style: CSSProperties;
  readonly onSelect: () => void;
}): JSX.Element {
  const { n, at, ms, sharedBytes, newBytes, cachedTokens = 0, promptTokens, brokenAt } = row;
  const end = endOf(row);
  return (
    <div
      id={`exchange-${index}`}
      class={`exchange-row${isSelected ? " is-selected" : ""}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      style={style}
      onClick={onSelect}
    >
      <span role="gridcell" class="mono dim">
        {n}
      </span>
      <span role="gridcell" class="exchange-step" title={formatTime(at)}>
        {turn !== undefined && turnTitle(turn)} <span class="mono dim">{stepOf(row)}</span>
        {brokenAt !== undefined && (
          <span class="flag tone-odd" title={`The prefix broke at ${brokenAt.field}`}>
            broke at {brokenAt.field}
          </span>
        )}
      </span>
      <span role="gridcell" class={end.isBad ? "bad" : "dim"}>
        {end.text}
      </span>
      <span role="gridcell" class="number">
        <span class="dim">{formatBytes(sharedBytes)}</span> + {formatBytes(newBytes)}
      </span>
      <span role="gridcell" class="number">
        {promptTokens === undefined ? "–" : `${formatTokens(cachedTokens)} / ${formatTokens(promptTokens)}`}
      </span>
      <span role="gridcell" class="number">
        {formatDuration(ms)}
      </span>
    </div>
  );
}
