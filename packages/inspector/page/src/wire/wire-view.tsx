import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { ExchangeRow } from "../../../src/inspection/exchange-details.ts";
import { useInspector, useKeys } from "../app/inspector.ts";
import { type SessionModel, type SessionPanelProps, useSession } from "../session/session-model.ts";
import { formatBytes, formatDuration, formatPlural, formatTime, formatTokens, turnTitle } from "../ui/format.ts";
import { Empty } from "../ui/notes.tsx";
import { type Column, Grid, listKeys } from "../ui/grid.tsx";
import { ExchangePane } from "./exchange-pane.tsx";
import { endOf, stepOf } from "./exchange-rows.ts";
import { Button } from "../acting/parts.tsx";

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
    const row = rows[index];
    if (row !== undefined) inspector.go({ kind: "session", id: session.id, tab: "wire", item: row.n }, isReplaced);
  };
  useKeys("Wire", 2, [
    ...listKeys("request", rows.length, current, go),
    {
      keys: ["f"],
      does: "Show only broken prefixes and failures, or all",
      run: () => void (onlyOdd.value = !onlyOdd.value),
    },
  ]);
  if (all.length === 0) return <NoExchanges />;
  const breaks = all.filter(({ brokenAt }) => brokenAt !== undefined).length;
  const failures = all.filter((row) => endOf(row).isBad).length;
  const row = rows[current];
  const columns = columnsOf(session);
  return (
    <div class="split">
      <section class="timeline fill" aria-label="Requests">
        <div class="bar wrap">
          <Button
            say={`Only ${formatPlural(breaks, "broken prefix", "broken prefixes")} and ${formatPlural(failures, "failure")}`}
            aria-pressed={onlyOdd.value}
            onClick={() => (onlyOdd.value = !onlyOdd.value)}
          />
        </div>
        <div class="fill">
          {rows.length === 0 ? (
            <Empty title="No broken prefixes or failures" />
          ) : (
            <Grid
              name="exchange"
              label="Requests"
              items={rows}
              columns={columns}
              height={28}
              selected={current}
              onSelect={(index) => go(index, false)}
            />
          )}
        </div>
      </section>
      <section class="details fill" aria-label="Request and answer">
        {row !== undefined && (
          <ExchangePane n={row.n} key={row.n} onGo={(n) => go(rows.findIndex((one) => one.n === n))} />
        )}
      </section>
    </div>
  );
}

/** Why there are no requests to show, and how to keep them. */
export function NoExchanges(): JSX.Element {
  return (
    <Empty title="This session kept no requests">
      <p>Give the agent an observer that keeps requests, and pass their store to the inspector:</p>
      <pre tabIndex={0} role="region" aria-label="Example">{`const agent = new Agent({
  model: "gemini-flash-latest",
  observers: [keepExchanges(new JsonlStore("exchanges"))],
});

pollux inspect sessions --exchanges exchanges`}</pre>
    </Empty>
  );
}

function columnsOf(session: SessionModel): readonly Column<ExchangeRow>[] {
  return [
    { title: "#", look: "mono dim", cell: ({ n }) => n },
    {
      title: "Turn and step",
      look: "exchange-step row",
      titleOf: ({ at }) => formatTime(at),
      cell: (row) => {
        const { brokenAt } = row;
        const turn = session.turnOf(row);
        return (
          <>
            {turn !== undefined && turnTitle(turn)} <span class="mono dim">{stepOf(row)}</span>
            {brokenAt !== undefined && (
              <span class="flag tone-odd cut" title={`The prefix broke at ${brokenAt.field}`}>
                broke at {brokenAt.field}
              </span>
            )}
          </>
        );
      },
    },
    { title: "Status", cell: (row) => <span class={endOf(row).isBad ? "bad" : "dim"}>{endOf(row).text}</span> },
    {
      title: "Shared + new",
      hint: "Bytes in common with the previous request, and new bytes",
      class: "number",
      cell: ({ sharedBytes, requestBytes }) => (
        <>
          <span class="dim">{formatBytes(sharedBytes)}</span> + {formatBytes(requestBytes - sharedBytes)}
        </>
      ),
    },
    {
      title: "Cached",
      hint: "Prompt tokens billed as cached",
      class: "number",
      cell: ({ cachedTokens = 0, promptTokens }) =>
        promptTokens === undefined ? "–" : `${formatTokens(cachedTokens)} / ${formatTokens(promptTokens)}`,
    },
    { title: "Time", class: "number", cell: ({ ms }) => formatDuration(ms) },
  ];
}

interface TurnWireProps {
  readonly rows: readonly ExchangeRow[];
  readonly selected: number | undefined;
  readonly onSelect: (n: number) => void;
}

/** The requests of one turn. */
export function TurnWire({ rows, selected, onSelect }: TurnWireProps): JSX.Element {
  if (useSession().exchanges.value.length === 0) return <NoExchanges />;
  const current = rows.find(({ n }) => n === selected) ?? rows.at(-1);
  if (current === undefined)
    return (
      <Empty title="No request of this turn was kept">
        <p>See the Wire tab for other requests of the session.</p>
      </Empty>
    );
  return (
    <>
      {rows.length > 1 && (
        <ul class="wrap is-tight" aria-label="Requests of the turn">
          {rows.map((row) => (
            <li key={row.n}>
              <button type="button" class="row" aria-pressed={row.n === current.n} onClick={() => onSelect(row.n)}>
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
