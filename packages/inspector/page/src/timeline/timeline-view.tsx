import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { flagView, sortFlags, type TurnFlag } from "../../../src/inspection/flags.ts";
import type { SessionOverview } from "../../../src/inspection/inspection.ts";
import type { FoundTurn } from "../../../src/inspection/results.ts";
import { endingView } from "../../../src/inspection/endings.ts";
import { markUntrusted } from "../../../src/inspection/untrusted.ts";
import { useInspector, useKeys } from "../app/inspector.ts";
import { tick } from "../compare/compare-ticked.tsx";
import { isTurn, type TurnRoute, turnRoute } from "../app/route.ts";
import { type SessionModel, useSession, type SessionPanelProps } from "../session/session-model.ts";
import { RunView } from "../turn/run-view.tsx";
import { TurnView } from "../turn/turn-view.tsx";
import { formatCount, formatPlural } from "../ui/format.ts";
import { Empty } from "../ui/notes.tsx";
import { useHighlight } from "../ui/use-highlight.ts";
import { useNarrow } from "../ui/use-narrow.ts";
import { ItemRows } from "../ui/virtual-rows.tsx";
import { innerExchanges } from "./inner-rows.ts";
import { Row, rowHeight } from "./row.tsx";
import { countEndings, countFlags, foundKey, type TimelineRow, timelineRows, wordsOf } from "./timeline-rows.ts";
import { Button } from "../acting/parts.tsx";

/** Sessions with at most this many turns show all steps at first. */
const MAX_OPEN_TURNS = 40;

/** Delay between the last keystroke and a search. */
const SEARCH_PAUSE_MS = 150;

/** The runs of a session, with the details of the selection. */
export function TimelineView({ session, overview: read, route }: SessionPanelProps): JSX.Element {
  // Untrusted content may come before the part that was read.
  const overview = useMemo(() => (read.earlier === undefined ? { ...read, runs: markUntrusted(read) } : read), [read]);
  const inspector = useInspector();
  const text = useSignal("");
  const flag = useSignal<TurnFlag | undefined>(undefined);
  const ending = useSignal<string | undefined>(undefined);
  const toggled = useSignal<ReadonlySet<string>>(new Set());
  const turnCount = overview.runs.reduce((sum, { turns }) => sum + turns.length, 0);
  const areOpen = useSignal(turnCount <= MAX_OPEN_TURNS);
  const search = useRef<HTMLInputElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const split = useRef<HTMLDivElement>(null);

  const isNarrow = useNarrow();
  const found = useFound(session, overview, text.value);
  const inner = useMemo(() => innerExchanges(session.exchanges.value), [session.exchanges.value]);
  const rows = useMemo(
    () =>
      timelineRows(
        overview,
        { text: text.value, flag: flag.value, ending: ending.value, found },
        (runId, turn) => areOpen.value !== toggled.value.has(`${runId} ${turn}`),
        { exchanges: inner, isToggled: (key) => toggled.value.has(key) },
      ),
    [overview, text.value, flag.value, ending.value, areOpen.value, toggled.value, inner, found],
  );
  const selected = selectedRow(rows, route.turn);
  const counts = useMemo(() => countFlags(overview.runs), [overview.runs]);

  // Without a selection, the timeline shows the end of the session.
  const lastRun = overview.runs.at(-1);
  const shown: TurnRoute | undefined =
    route.turn ?? (lastRun && turnRoute(session.id, lastRun, lastRun.turns.at(-1)).turn);
  const current = selected ?? selectedRow(rows, shown);

  const isElsewhere = route.turn !== undefined && selected === undefined;
  if (isElsewhere || text.value !== "" || (flag.value ?? ending.value) !== undefined) session.whole();

  const go = (row: TimelineRow | undefined, isReplaced: boolean = true): void => {
    if (row?.kind === "earlier") session.whole();
    if (row === undefined || row.kind === "queued" || row.kind === "earlier") return;
    const item = row.kind === "failed" ? row.request.n : row.kind === "inner-turn" ? row.n : undefined;
    const tab = item === undefined ? (route.turn?.tab ?? "") : "wire";
    inspector.go(turnRoute(session.id, row.run, row.kind === "run" ? undefined : row.turn, { tab, item }), isReplaced);
  };
  const move = (by: number): void => {
    const from = current ?? -1;
    let at = from + by;
    while (at >= 0 && at < rows.length && rows[at]?.kind !== "run" && rows[at]?.kind !== "turn") at += by;
    go(rows[at]);
  };
  const toggle = (row: TimelineRow | undefined): void => {
    if (row?.kind === "earlier") session.whole();
    if (row === undefined || !("turn" in row)) return;
    const key = row.kind === "inner-run" ? row.key : `${row.run.runId} ${row.turn.turn}`;
    const next = new Set(toggled.value);
    if (!next.delete(key)) next.add(key);
    toggled.value = next;
  };
  const seek = (by: number): void => {
    let at = (current ?? -1) + by;
    const isFlagged = (row: TimelineRow | undefined): boolean =>
      row?.kind === "turn" && row.turn.flags.some((one) => flagView(one)[1] !== "note");
    while (at >= 0 && at < rows.length && !isFlagged(rows[at])) at += by;
    if (isFlagged(rows[at])) go(rows[at]);
    else inspector.say(by > 0 ? "No later turn with a problem" : "No earlier turn with a problem");
  };
  const choose = (name: TurnFlag): void => {
    flag.value = flag.value === name ? undefined : name;
    if (flag.value === undefined) return;
    for (const run of overview.runs) {
      const first = run.turns.find(({ flags }) => flags.includes(name));
      if (first !== undefined) return inspector.go(turnRoute(session.id, run, first), true);
    }
  };
  useKeys("Timeline", 2, [
    { keys: ["/"], does: "Search turns", run: () => search.current?.focus() },
    { keys: ["j", "ArrowDown"], does: "Next turn", run: () => move(1) },
    { keys: ["k", "ArrowUp"], does: "Previous turn", run: () => move(-1) },
    { keys: ["g", "Home"], does: "First turn", run: () => go(rows[0]) },
    { keys: ["G", "End"], does: "Last turn", run: () => go(rows.findLast(({ kind }) => kind === "turn")) },
    { keys: ["n"], does: "Next turn with a problem", run: () => seek(1) },
    { keys: ["p"], does: "Previous turn with a problem", run: () => seek(-1) },
    {
      keys: ["x"],
      does: "Select the run to compare",
      run: () => {
        const row = rows[current ?? -1];
        if (row?.kind === "run" || row?.kind === "turn") tick(session.tickedRuns, row.run.runId);
      },
    },
    { keys: ["Enter", " "], does: "Show or hide the steps of a turn", run: () => toggle(rows[current ?? -1]) },
    {
      keys: ["e"],
      does: "Show or hide the steps of all turns",
      run: () => {
        areOpen.value = !areOpen.value;
        toggled.value = new Set();
      },
    },
    {
      keys: ["Escape"],
      does: "Leave the search, then clear it",
      run: () => {
        if (document.activeElement === search.current) box.current?.querySelector<HTMLElement>(".rows")?.focus();
        else if (text.value !== "" || (flag.value ?? ending.value) !== undefined) {
          text.value = "";
          flag.value = undefined;
          ending.value = undefined;
        } else return false;
        return true;
      },
    },
  ]);
  usePrefetch(session, rows, current);
  useHighlight(split, wordsOf(text.value), JSON.stringify(shown ?? null), ".details");

  if (overview.runs.length === 0)
    return (
      <Empty title="No runs yet">
        <p>The timeline starts with the first run. See Log for the session's entries, and Wire for its requests.</p>
      </Empty>
    );
  return (
    <div class="split" ref={split}>
      <section class="timeline fill" aria-label="Timeline">
        <div class="bar wrap">
          <input
            ref={search}
            type="search"
            class="search"
            placeholder="Search turns"
            aria-label="Search turns"
            title="Messages, answers, tools, arguments and outputs"
            value={text.value}
            onInput={({ currentTarget }) => (text.value = currentTarget.value)}
            onKeyDown={({ key }) => key === "Enter" && go(rows.find(({ kind }) => kind === "turn"))}
          />
          <div class="filters wrap is-tight" role="group" aria-label="Turns with">
            {sortFlags([...counts.keys()]).map((name) => {
              const [title, tone, means] = flagView(name);
              return (
                <button
                  key={name}
                  type="button"
                  class={`flag tone-${tone}`}
                  aria-pressed={flag.value === name}
                  title={means}
                  onClick={() => choose(name)}
                >
                  {title} <span class="count">{formatCount(counts.get(name) ?? 0)}</span>
                </button>
              );
            })}
            {[...countEndings(overview.runs)].map(([name, count]) => (
              <Button
                say={`${formatPlural(count, "run")}: ${endingView(name)[0]}`}
                key={name}
                class="flag tone-bad"
                aria-pressed={ending.value === name}
                title={endingView(name)[2]}
                onClick={() => (ending.value = ending.value === name ? undefined : name)}
              />
            ))}
          </div>
        </div>
        <div ref={box} class="fill">
          {rows.length === 0 ? (
            <Empty title="No turn matches">
              <p>
                {found === undefined && text.value !== ""
                  ? "Still searching…"
                  : "Search covers messages, answers, errors, and tools with their arguments and outputs."}
              </p>
            </Empty>
          ) : (
            <ItemRows
              class="timeline-rows"
              items={rows}
              height={(row) => rowHeight(row, isNarrow)}
              selected={current}
              attributes={{
                role: "treegrid",
                tabIndex: 0,
                "aria-label": "Runs, turns and steps",
                "aria-rowcount": rows.length,
                ...(current !== undefined && { "aria-activedescendant": `row-${current}` }),
              }}
              row={(row, index, style) => (
                <Row
                  key={index}
                  row={row}
                  index={index}
                  isSelected={index === current}
                  style={style}
                  onSelect={() => go(row, false)}
                  onToggle={() => toggle(row)}
                  tickedRuns={session.tickedRuns}
                />
              )}
            />
          )}
        </div>
        <Draft overview={overview} />
      </section>
      <section class="details fill" aria-label="Details">
        {shown === undefined ? null : shown.turn === 0 && shown.runId !== undefined ? (
          <RunView runId={shown.runId} />
        ) : (
          <TurnView selected={shown} />
        )}
      </section>
    </div>
  );
}

/** Turns with the words in texts that rows don't show. Undefined until the search is done. */
function useFound(
  session: SessionModel,
  { length }: SessionOverview,
  text: string,
): ReadonlyMap<string, string> | undefined {
  const found = useSignal<{ readonly text: string; readonly turns: ReadonlyMap<string, string> } | undefined>(
    undefined,
  );
  useEffect(() => {
    if (wordsOf(text).length === 0) return undefined;
    let isShown = true;
    const timer = setTimeout(() => {
      session.source.view<readonly FoundTurn[]>(session.id, "search", { q: text }).then(
        (turns) => {
          if (isShown) found.value = { text, turns: new Map(turns.map((one) => [foundKey(one, one), one.text])) };
        },
        () => {},
      );
    }, SEARCH_PAUSE_MS);
    return () => {
      isShown = false;
      clearTimeout(timer);
    };
  }, [session, text, length]);
  return found.value?.text === text ? found.value.turns : undefined;
}

/** Loads the next and previous turn in advance. */
function usePrefetch(session: SessionModel, rows: readonly TimelineRow[], current: number | undefined): void {
  const { loads } = useInspector().open.value;
  useEffect(() => {
    if (current === undefined) return undefined;
    const timer = setTimeout(() => {
      for (const by of [1, -1])
        for (let at = current + by; at >= 0 && at < rows.length; at += by) {
          const row = rows[at];
          if (row?.kind !== "turn") continue;
          const { run, turn } = row;
          const load = (): ReturnType<typeof session.source.turn> =>
            session.source.turn(session.id, run.runId, turn.turn);
          loads.fetch(JSON.stringify(session.turnKey(run, turn)), load).catch(() => {});
          break;
        }
    }, 30);
    return () => clearTimeout(timer);
  }, [session, rows, current]);
}

function selectedRow(rows: readonly TimelineRow[], turn: TurnRoute | undefined): number | undefined {
  if (turn === undefined) return undefined;
  const index = rows.findIndex((row) =>
    turn.turn === 0 && turn.runId !== undefined
      ? row.kind === "run" && row.run.runId === turn.runId
      : row.kind === "turn" && isTurn(turn, row.run, row.turn),
  );
  return index === -1 ? undefined : index;
}

/** The answer in progress. */
function Draft({ overview }: { readonly overview: SessionOverview }): JSX.Element | null {
  const session = useSession();
  if (overview.state !== "running") return null;
  const { text = "", thoughts = "" } = session.draft.value ?? {};
  return (
    <div class="draft" aria-label="Live">
      <span class="state tone-note">Live</span>
      <p>{(text || thoughts || "The run is active.").slice(-400)}</p>
    </div>
  );
}
