import { type Signal, useSignal } from "@preact/signals";
import type { CSSProperties, JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { formatCost } from "../../../src/inspection/cost.ts";
import { type EndingFilter, isBadEnding } from "../../../src/inspection/endings.ts";
import type { SessionRow } from "../../../src/inspection/inspection.ts";
import { useInspector } from "../app/inspector.ts";
import { CompareTicked, tick, TickBox } from "../compare/compare-ticked.tsx";
import { useKeys } from "../app/use-keys.ts";
import type { SessionsRoute } from "../app/route.ts";
import { formatAge, formatCount, formatDate, formatTokens } from "../ui/format.ts";
import { moneyNote } from "../ui/money.tsx";
import { Empty, Failure, Loading } from "../ui/notes.tsx";
import { EndingBadge, ENDINGS, endingView } from "../ui/endings.tsx";
import { useNarrow } from "../ui/use-narrow.ts";
import { ItemRows } from "../ui/virtual-rows.tsx";
import { SessionList } from "./session-list.ts";

/** What most people look for. */
const FILTERS: readonly (readonly [filter: EndingFilter, title: string])[] = [
  ["running", "Running"],
  ["waiting", "Waiting"],
  ["cut-off", "Cut off"],
  ["problem", "Problem"],
  ["done", "Done"],
];
const BAD_ENDINGS = Object.keys(ENDINGS).filter((ending) => isBadEnding(ending) && ending !== "cut-off");
/** How often a list that is looked at is brought up to date. */
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
  // What it can't be, the source says.
  const state = route.state === "" ? undefined : (route.state as EndingFilter);
  useEffect(() => {
    const load = (): Promise<void> => list.search({ ...(route.search !== "" && { search: route.search }), state });
    const timer = setTimeout(() => void load(), 50);
    // Further pages stay as they were; only a short list is brought up to date by itself.
    const refresh = setInterval(() => {
      if (document.visibilityState === "visible" && list.isWhole.value && about.value?.isLive === true) void load();
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
    {
      keys: ["j", "ArrowDown"],
      does: "Next session",
      run: () => void (selected.value = Math.min(rows.length - 1, current + 1)),
    },
    { keys: ["k", "ArrowUp"], does: "Previous session", run: () => void (selected.value = Math.max(0, current - 1)) },
    { keys: ["g", "Home"], does: "First session", run: () => void (selected.value = 0) },
    { keys: ["G", "End"], does: "Last session loaded", run: () => void (selected.value = rows.length - 1) },
    { keys: ["Enter"], does: "Open the session", run: () => open(current) },
    {
      keys: ["x"],
      does: "Tick the session, to compare it with another one",
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
  const columns = useMemo(() => columnsOf(rows), [rows]);
  const isFiltered = route.search !== "" || state !== undefined;
  return (
    <div class="sessions">
      <h1 class="visually-hidden">Sessions</h1>
      <div class="bar">
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
        <div class="filters" role="group" aria-label="State">
          {[[undefined, "All"] as const, ...FILTERS].map(([name, title]) => (
            <button
              key={name ?? ""}
              type="button"
              aria-pressed={name === state}
              onClick={() => change({ state: name ?? "" })}
            >
              {title}
            </button>
          ))}
          <select
            aria-label="How the last run ended"
            value={BAD_ENDINGS.find((ending) => ending === state) ?? ""}
            onChange={({ currentTarget }) => change({ state: currentTarget.value })}
          >
            <option value="">Any ending</option>
            {BAD_ENDINGS.map((ending) => (
              <option key={ending} value={ending}>
                {endingView(ending).title}
              </option>
            ))}
          </select>
        </div>
        <CompareTicked ticked={ticked} what="session" routeOf={(left, right) => ({ kind: "compare", left, right })} />
        <span class="total" role="status">
          {list.error.value === undefined && `${formatCount(rows.length)}${list.isWhole.value ? "" : "+"} shown`}
        </span>
      </div>
      {list.error.value !== undefined ? (
        <Failure error={list.error.value} retry={() => void list.search({ search: route.search, state })} />
      ) : rows.length === 0 ? (
        list.isLoading.value ? (
          <Loading />
        ) : isFiltered ? (
          <Empty title="No session matches">
            <p>Search looks at ids, titles, owners, metadata, agents, models and tools; every word has to be there.</p>
            <button type="button" onClick={() => change({ search: "", state: "" })}>
              Show all sessions
            </button>
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
          <ItemRows
            class="session-rows"
            items={rows}
            height={isNarrow ? 48 : 34}
            selected={current}
            onEnd={() => void list.more()}
            attributes={{
              role: "grid",
              style: { "--columns": columns.template },
              tabIndex: 0,
              "aria-label": "Sessions",
              "aria-rowcount": list.isWhole.value ? rows.length + 1 : -1,
              "aria-activedescendant": `session-${current}`,
            }}
            head={<Head columns={columns} />}
            row={(row, index, style) => (
              <Row
                key={index}
                row={row}
                columns={columns}
                ticked={ticked}
                index={index}
                isSelected={index === current}
                style={style}
                now={list.loadedAt.value}
                onOpen={() => {
                  selected.value = index;
                  open(index);
                }}
              />
            )}
          />
        </div>
      )}
    </div>
  );
}

/** Columns that not all lists have. */
interface Columns {
  readonly agent: boolean;
  readonly owner: boolean;
  readonly template: string;
}

function columnsOf(rows: readonly SessionRow[]): Columns {
  const agent = rows.some((row) => row.agent !== undefined);
  const owner = rows.some((row) => row.owner !== undefined);
  const optional = `${agent ? "minmax(80px, 130px) " : ""}${owner ? "minmax(80px, 120px) " : ""}`;
  return { agent, owner, template: `98px minmax(160px, 1fr) ${optional}72px 56px 72px 76px 92px` };
}

function Head({ columns }: { readonly columns: Columns }): JSX.Element {
  return (
    <div class="session-row session-head" role="row" aria-rowindex={1}>
      <span role="columnheader">State</span>
      <span role="columnheader">Session</span>
      {columns.agent && (
        <span role="columnheader" class="is-wide-only">
          Agent
        </span>
      )}
      {columns.owner && (
        <span role="columnheader" class="is-wide-only">
          Owner
        </span>
      )}
      <span role="columnheader" class="number is-wide-only" title="Messages that began a run">
        Messages
      </span>
      <span role="columnheader" class="number is-wide-only">
        Turns
      </span>
      <span role="columnheader" class="number is-wide-only">
        Tokens
      </span>
      <span role="columnheader" class="number" title="As the runs recorded it">
        Cost
      </span>
      <span role="columnheader" class="number">
        Last change
      </span>
    </div>
  );
}

const NO_COST = "The runs recorded no cost: open the session to price it";

interface RowProps {
  readonly row: SessionRow;
  readonly index: number;
  readonly columns: Columns;
  readonly ticked: Signal<readonly string[]>;
  readonly isSelected: boolean;
  readonly style: CSSProperties;
  readonly now: number;
  readonly onOpen: () => void;
}

function Row({ row, index, columns, ticked, isSelected, style, now, onOpen }: RowProps): JSX.Element {
  const { id, title, agent, owner, messages, turns, totalTokens, updatedAt, metadata, hasExchanges } = row;
  const details = Object.entries(metadata ?? {}).map(([name, value]) => `${name}: ${value}`);
  return (
    <div
      id={`session-${index}`}
      class={`session-row${isSelected ? " is-selected" : ""}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      style={style}
      onClick={onOpen}
    >
      <span role="gridcell">
        <TickBox ticked={ticked} id={id} label={title ?? id} />
        <EndingBadge ending={row.ending} />
      </span>
      <span role="gridcell" class="session-name" title={[id, ...details].join("\n")}>
        <span class="session-title">{title ?? id}</span>
        {title !== undefined && <span class="session-id">{id}</span>}
        {hasExchanges && (
          <span class="tag" title="Its requests and answers were kept: see its wire tab">
            wire
          </span>
        )}
      </span>
      {columns.agent && (
        <span role="gridcell" class="dim is-wide-only">
          {agent ?? "–"}
        </span>
      )}
      {columns.owner && (
        <span role="gridcell" class="dim is-wide-only">
          {owner ?? "–"}
        </span>
      )}
      <span role="gridcell" class="number is-wide-only">
        {formatCount(messages)}
      </span>
      <span role="gridcell" class="number is-wide-only">
        {formatCount(turns)}
      </span>
      <span role="gridcell" class="number is-wide-only">
        {formatTokens(totalTokens)}
      </span>
      <span role="gridcell" class="number" title={moneyNote(row) ?? NO_COST}>
        {formatCost(row, row.currency)}
      </span>
      <span role="gridcell" class="number dim" title={formatDate(updatedAt)}>
        {formatAge(updatedAt, now)}
      </span>
    </div>
  );
}
