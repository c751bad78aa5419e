import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { formatCost } from "../../../src/inspection/cost.ts";
import { type EndingFilter, ENDINGS, endingView, isBadEnding } from "../../../src/inspection/endings.ts";
import type { SessionRow } from "../../../src/inspection/inspection.ts";
import { useInspector, useKeys } from "../app/inspector.ts";
import { CompareTicked, tick, TickBox } from "../compare/compare-ticked.tsx";
import type { SessionsRoute } from "../app/route.ts";
import { formatAge, formatCount, formatDate, formatTokens } from "../ui/format.ts";
import { moneyNote } from "../ui/money.tsx";
import { Empty, Waiting } from "../ui/notes.tsx";
import { EndingBadge } from "../ui/endings.tsx";
import { useNarrow } from "../ui/use-narrow.ts";
import { type Column, Grid, listKeys } from "../ui/grid.tsx";
import { Button, Choices } from "../acting/parts.tsx";
import { SessionList } from "./session-list.ts";

/** The most common filters. */
const FILTERS: readonly (readonly [filter: EndingFilter, title: string])[] = [
  ["running", "Running"],
  ["waiting", "Waiting"],
  ["cut-off", "Cut off"],
  ["problem", "Problem"],
  ["done", "Done"],
];
const BAD_ENDINGS = Object.keys(ENDINGS).filter((ending) => isBadEnding(ending) && ending !== "cut-off");
/** How often a visible list is refreshed. */
const REFRESH_MS = 5000;

/** All sessions, most recent first. */
export function SessionsView({ route }: { readonly route: SessionsRoute }): JSX.Element {
  const inspector = useInspector();
  const { source, about } = inspector.open.value;
  const list = useMemo(() => new SessionList(source), [source]);
  const selected = useSignal(0);
  const ticked = useSignal<readonly string[]>([]);
  const search = useRef<HTMLInputElement>(null);
  const rowsBox = useRef<HTMLDivElement>(null);
  // The source refuses an invalid one.
  const state = route.state === "" ? undefined : (route.state as EndingFilter);
  useEffect(() => {
    const timer = setTimeout(() => void list.search({ search: route.search || undefined, state }), 50);
    const refresh = setInterval(() => {
      if (document.visibilityState === "visible" && about.value?.isLive === true) void list.refresh();
    }, REFRESH_MS);
    return () => {
      clearTimeout(timer);
      clearInterval(refresh);
    };
  }, [list, route.search, state]);

  const rows = list.rows.value;
  const current = Math.min(selected.value, Math.max(0, rows.length - 1));
  const open = (index: number): void => {
    const row = rows[index];
    if (row !== undefined) inspector.go({ kind: "session", id: row.id, tab: "" });
  };
  const change = (next: Partial<SessionsRoute>): void => {
    selected.value = 0;
    inspector.go({ ...route, ...next }, true);
  };
  useKeys("Sessions", 2, [
    { keys: ["/"], does: "Search", run: () => search.current?.focus() },
    ...listKeys("session", rows.length, current, (index) => (selected.value = index)),
    { keys: ["Enter"], does: "Open the session", run: () => open(current) },
    {
      keys: ["x"],
      does: "Select the session to compare",
      run: () => {
        const row = rows[current];
        if (row !== undefined) tick(ticked, row.id);
      },
    },
    {
      keys: ["Escape"],
      does: "Leave the search, then clear it",
      run: () => {
        if (document.activeElement === search.current) rowsBox.current?.querySelector<HTMLElement>(".rows")?.focus();
        else if (route.search !== "" || state !== undefined) change({ search: "", state: "" });
        else return false;
        return true;
      },
    },
  ]);

  const isNarrow = useNarrow();
  const columns = columnsOf(rows, ticked, list.loadedAt.value);
  const isFiltered = route.search !== "" || state !== undefined;
  return (
    <div class="sessions fill">
      <h1 class="visually-hidden">Sessions</h1>
      <div class="bar wrap">
        <input
          ref={search}
          type="search"
          class="search"
          placeholder="Search sessions"
          aria-label="Search sessions"
          value={route.search}
          onInput={({ currentTarget }) => change({ search: currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key === "Enter") open(current);
          }}
        />
        <div class="wrap is-tight">
          <Choices
            label="State"
            value={state ?? ""}
            onChange={(name) => change({ state: name })}
            options={[["", "All"], ...FILTERS]}
          />
          <select
            aria-label="How the last run ended"
            value={BAD_ENDINGS.find((ending) => ending === state) ?? ""}
            onChange={({ currentTarget }) => change({ state: currentTarget.value })}
          >
            <option value="">Any ending</option>
            {BAD_ENDINGS.map((ending) => (
              <option key={ending} value={ending}>
                {endingView(ending)[0]}
              </option>
            ))}
          </select>
        </div>
        <CompareTicked ticked={ticked} what="session" routeOf={(left, right) => ({ kind: "compare", left, right })} />
        <span class="total dim" role="status">
          {list.error.value === undefined && `${formatCount(rows.length)}${list.isWhole.value ? "" : "+"} shown`}
        </span>
      </div>
      {list.error.value !== undefined ? (
        <Waiting error={list.error.value} retry={() => void list.search({ search: route.search, state })} />
      ) : rows.length === 0 ? (
        list.isLoading.value ? (
          <Waiting />
        ) : isFiltered ? (
          <Empty title="No session matches">
            <p>Search covers ids, titles, owners, metadata, agents, models and tools. All words have to match.</p>
            <Button say="Show all sessions" onClick={() => change({ search: "", state: "" })} />
          </Empty>
        ) : (
          <Empty title="No sessions yet">
            <p>Run an agent that saves to this store, and its sessions appear here:</p>
            <pre>await agent.session({`{ id: "chat-1", store }`}).send("Hello");</pre>
            <p>Or drop a session file (.jsonl) or a recording (.json) onto the page.</p>
          </Empty>
        )
      ) : (
        <div ref={rowsBox} class="fill">
          <Grid
            name="session"
            label="Sessions"
            items={rows}
            columns={columns}
            height={isNarrow ? 48 : 34}
            selected={current}
            onSelect={(index) => {
              selected.value = index;
              open(index);
            }}
            onEnd={() => void list.more()}
            isCut={!list.isWhole.value}
          />
        </div>
      )}
    </div>
  );
}

const NO_COST = "No recorded cost: open the session to price it";

/** The columns of a list; agents and owners only if there are any. */
function columnsOf(
  rows: readonly SessionRow[],
  ticked: Signal<readonly string[]>,
  now: number,
): readonly Column<SessionRow>[] {
  const optional = (title: string, of: (row: SessionRow) => string | undefined): readonly Column<SessionRow>[] =>
    rows.some((row) => of(row) !== undefined)
      ? [{ title, width: "minmax(80px, 130px)", class: "is-wide-only", look: "dim", cell: (row) => of(row) ?? "–" }]
      : [];
  const counts = [
    ["Messages", "72px", "messages", formatCount, "Messages that started a run"],
    ["Turns", "56px", "turns", formatCount, undefined],
    ["Tokens", "72px", "totalTokens", formatTokens, undefined],
  ] as const;
  return [
    { title: "State", width: "98px", cell: (row) => <Standing row={row} ticked={ticked} /> },
    { title: "Session", width: "minmax(160px, 1fr)", look: "session-name row", titleOf: detailsOf, cell: nameOf },
    ...optional("Agent", ({ agent }) => agent),
    ...optional("Owner", ({ owner }) => owner),
    ...counts.map(([title, width, name, format, hint]): Column<SessionRow> => {
      const cell = ({ [name]: value }: SessionRow): string => (value === undefined ? "–" : format(value));
      return { title, width, cell, hint, class: "number is-wide-only" };
    }),
    {
      title: "Cost",
      width: "76px",
      hint: "As the runs recorded it",
      class: "number",
      titleOf: (row) => moneyNote(row) ?? NO_COST,
      cell: (row) => formatCost(row, row.currency),
    },
    {
      title: "Last change",
      width: "92px",
      class: "number",
      look: "dim",
      titleOf: ({ updatedAt }) => formatDate(updatedAt),
      cell: ({ updatedAt }) => formatAge(updatedAt, now),
    },
  ];
}

interface StandingProps {
  readonly row: SessionRow;
  readonly ticked: Signal<readonly string[]>;
}

function Standing({ row: { id, title = id, ending }, ticked }: StandingProps): JSX.Element {
  return (
    <>
      <TickBox ticked={ticked} id={id} label={title} />
      <EndingBadge ending={ending} />
    </>
  );
}

function detailsOf({ id, metadata = {} }: SessionRow): string {
  return [id, ...Object.entries(metadata).map(([name, value]) => `${name}: ${value}`)].join("\n");
}

function nameOf({ id, title, hasExchanges }: SessionRow): JSX.Element {
  return (
    <>
      <span class="session-title cut">{title ?? id}</span>
      {title !== undefined && <span class="session-id cut dim">{id}</span>}
      {hasExchanges && (
        <span class="tag" title="Its requests and answers were kept: see the Wire tab">
          wire
        </span>
      )}
    </>
  );
}
