import { HttpError } from "@pollux/core/serving";
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { useInspector, useKeys } from "../app/inspector.ts";
import { CompareTicked } from "../compare/compare-ticked.tsx";
import { useAbout, CopyButton } from "../acting/parts.tsx";
import { TakeAwayMenu } from "../take-away/take-away-menu.tsx";
import { formatRoute, type SessionRoute, SESSIONS } from "../app/route.ts";
import { formatDate, formatPlural, formatTokens } from "../ui/format.ts";
import { Money, PricesNote } from "../ui/money.tsx";
import { Empty, Waiting } from "../ui/notes.tsx";
import { EndingBadge } from "../ui/endings.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { SESSION_TABS, sessionTab } from "./session-tabs.tsx";
import { SessionContext, SessionModel, type SessionPanelProps } from "./session-model.ts";

/** One session. */
export function SessionView({ route }: { readonly route: SessionRoute }): JSX.Element {
  const inspector = useInspector();
  const { source } = inspector.open.value;
  const session = useMemo(() => new SessionModel(source, route.id), [source, route.id]);
  useEffect(() => session.start(), [session]);
  useKeys("Session", 1, [
    { keys: ["Escape", "u"], does: "Back to all sessions", run: () => inspector.go(SESSIONS) },
    {
      keys: ["c"],
      does: "Copy the address of this view",
      run: () => void inspector.copy(() => location.href, "Address copied"),
    },
  ]);
  const read = session.overview.value;
  const runs = session.runs.value;
  const overview = useMemo(() => read && { ...read, runs }, [read, runs]);
  if (overview === undefined) {
    const error = session.error.value;
    if (error instanceof HttpError && error.code === "not_found")
      return (
        <Empty title="There is no such session">
          <p>
            This store has no session <code>{route.id}</code>. It may be deleted, or in another store.
          </p>
          <a href={formatRoute(SESSIONS)}>All sessions</a>
        </Empty>
      );
    return <Waiting error={error} retry={() => void session.refresh()} />;
  }
  const tab = sessionTab(route.tab);
  const isPartial = overview.earlier !== undefined && !tab.isOfEnd;
  if (isPartial) session.whole();
  return (
    <SessionContext.Provider value={session}>
      <div class="session fill">
        <Head session={session} overview={overview} />
        <Tabs
          label="Views of the session"
          panel="session-panel"
          tabs={SESSION_TABS.map(({ id, title, count }) => {
            const found = count?.(session);
            return { id, title, ...(found !== undefined && { count: found }) };
          })}
          current={tab.id}
          keys={["[", "]"]}
          onChange={(id) => inspector.go({ kind: "session", id: route.id, tab: id })}
        />
        <div
          id="session-panel"
          class="session-panel fill"
          role="tabpanel"
          aria-labelledby={`session-panel-tab-${tab.id}`}
        >
          {isPartial ? <Waiting /> : <tab.View session={session} overview={overview} route={route} />}
        </div>
      </div>
    </SessionContext.Provider>
  );
}

function Head({ session, overview }: Pick<SessionPanelProps, "session" | "overview">): JSX.Element {
  const { id, title, createdAt, runs, usage, problems, history, earlier } = overview;
  const turns = runs.reduce((sum, run) => sum + run.turns.length, earlier?.turns ?? 0);
  return (
    <div class="session-top stack">
      <div class="wrap">
        <h1 class="cut" title={title ?? id}>
          {title ?? id}
        </h1>
        <EndingBadge ending={overview.ending} />
        <span class="facts small wrap">
          {earlier === undefined && <span>{formatPlural(runs.length, "run")}</span>}
          <span>{formatPlural(turns, "turn")}</span>
          {earlier?.areTotalsKnown !== false && <span>{formatTokens(usage.totalTokens)} tokens</span>}
          <Money of={overview} />
          {createdAt !== undefined && <span>since {formatDate(createdAt)}</span>}
          {history !== undefined && (
            <span>
              begins with {formatPlural(history.contents, "content")}
              {history.from !== undefined && (
                <>
                  {" of "}
                  <a href={formatRoute({ kind: "session", id: history.from, tab: "" })}>{history.from}</a>
                </>
              )}
            </span>
          )}
        </span>
        <span class="to-end wrap">
          <CopyButton text={id} what="the session's id" title="Copy id" />
          <OpenInPlay session={session} />
          <CompareTicked
            ticked={session.tickedRuns}
            what="run"
            routeOf={(left, right) => ({ kind: "compare", left: id, right: id, runs: [left, right] })}
          />
          <TakeAwayMenu />
        </span>
      </div>
      {session.error.value !== undefined && (
        <p class="banner is-error" role="alert">
          Not up to date: {session.error.value.message}
        </p>
      )}
      {earlier?.areTotalsKnown !== false && <PricesNote of={overview} />}
      {problems.length > 0 && (
        <details class="banner is-error">
          <summary>{formatPlural(problems.length, "entry", "entries")} of the log unreadable or misplaced</summary>
          <ul>
            {problems.slice(0, 100).map(({ position, problem, remedy }) => (
              <li key={position}>
                <a href={formatRoute({ kind: "session", id, tab: "log", item: position })}>Entry {position}</a>:{" "}
                {problem}; {remedy}.
              </li>
            ))}
          </ul>
          {problems.length > 100 && <p>And {formatPlural(problems.length - 100, "more", "more")}.</p>}
        </details>
      )}
    </div>
  );
}

/** Continues a session in the playground, if the inspector has an agent. */
function OpenInPlay({ session: { id, runs } }: Pick<SessionPanelProps, "session">): JSX.Element | null {
  const { actions, agents } = useAbout();
  const { agent: name = "" } = runs.value.at(-1) ?? {};
  const agent = agents.includes(name) ? name : agents[0];
  if (agent === undefined || !actions.includes("play")) return null;
  return (
    <a class="button" href={formatRoute({ kind: "play", agent, session: id })}>
      Play
    </a>
  );
}
