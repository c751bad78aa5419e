import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { RunRow, TurnRow } from "../../../src/inspection/inspection.ts";
import type { TurnDetails } from "../../../src/inspection/turn-details.ts";
import { useInspector } from "../app/inspector.ts";
import { useLoad } from "../app/loads.ts";
import type { TurnRoute } from "../app/route.ts";
import { TURN_TOOLS } from "../session/tools.ts";
import type { SessionModel } from "../session/session-model.ts";
import { sortFlags } from "../timeline/flags.ts";
import { Flag } from "../timeline/row.tsx";
import { Money } from "../ui/money.tsx";
import { formatDuration, formatTime, formatTokens, turnTitle } from "../ui/format.ts";
import { Empty, Failure, Loading } from "../ui/notes.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { TurnWire } from "../wire/turn-wire.tsx";
import { exchangesOf } from "../wire/exchange-rows.ts";
import { TurnContents } from "./turn-contents.tsx";
import { TurnEntries } from "./turn-entries.tsx";

/** All of one turn. */
export function TurnView({
  session,
  selected,
}: {
  readonly session: SessionModel;
  readonly selected: TurnRoute;
}): JSX.Element {
  const found = session.find(selected);
  const { earlier } = session.overview.value ?? {};
  if (earlier !== undefined && (found === undefined || selected.tab === "wire")) {
    session.whole();
    return <Loading />;
  }
  if (found === undefined)
    return (
      <Empty title="There is no such turn">
        <p>
          The session has no turn {selected.turn}
          {selected.runId !== undefined && (
            <>
              {" "}
              in run <code>{selected.runId}</code>
            </>
          )}
          .
        </p>
      </Empty>
    );
  return <FoundTurn session={session} selected={selected} run={found.run} turn={found.turn} />;
}

function FoundTurn({
  session,
  selected,
  run,
  turn,
}: {
  readonly session: SessionModel;
  readonly selected: TurnRoute;
  readonly run: RunRow;
  readonly turn: TurnRow;
}): JSX.Element {
  const inspector = useInspector();
  const { loads } = inspector.open.value;
  const { value, error } = useLoad<TurnDetails>(
    loads,
    session.turnKey(run, turn),
    () => session.source.turn(session.id, run.runId, turn.turn),
    `${run.runId} ${turn.turn}`,
  );
  const body = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (body.current !== null) body.current.scrollTop = 0;
  }, [run.runId, turn.turn, selected.tab]);
  const exchanges = exchangesOf(session.exchanges.value, run.runId, turn);
  const tab = ["wire", "entries"].includes(selected.tab) ? selected.tab : "";
  const go = (next: Partial<TurnRoute>): void =>
    inspector.go({ kind: "session", id: session.id, tab: "", turn: { ...selected, item: undefined, ...next } }, true);
  return (
    <div class="turn">
      <TurnHead session={session} run={run} turn={turn} />
      <Tabs
        label="Views of the turn"
        panel="turn-panel"
        keys={["{", "}"]}
        current={tab}
        onChange={(id) => go({ tab: id })}
        tabs={[
          { id: "", title: "Contents" },
          { id: "wire", title: "Wire", ...(exchanges.length > 0 && { count: exchanges.length }) },
          { id: "entries", title: "Log entries", ...(value !== undefined && { count: value.entries.length }) },
        ]}
      />
      <div
        ref={body}
        id="turn-panel"
        class="turn-body"
        role="tabpanel"
        aria-labelledby={`turn-panel-tab-${tab}`}
        tabIndex={0}
      >
        {tab === "wire" ? (
          <TurnWire
            session={session}
            rows={exchanges}
            selected={selected.item}
            onSelect={(n) => go({ tab: "wire", item: n })}
          />
        ) : error !== undefined ? (
          <Failure error={error} />
        ) : value === undefined ? (
          <Loading />
        ) : tab === "entries" ? (
          <TurnEntries details={value} />
        ) : (
          <TurnContents session={session} details={value} row={turn} />
        )}
      </div>
    </div>
  );
}

function TurnHead({
  session,
  run,
  turn,
}: {
  readonly session: SessionModel;
  readonly run: RunRow;
  readonly turn: TurnRow;
}): JSX.Element {
  const { usage, startedAt, endedAt, finishReason, flags, phase } = turn;
  const { prompt, cached, thoughts, output, toolUse, searchQueries, requests = 1 } = usage;
  return (
    <div class="turn-head">
      <h2>{turnTitle(turn)}</h2>
      {phase === "output" && <span class="tag">output</span>}
      {turn.agent !== undefined && <span class="tag">led by {turn.agent}</span>}
      {sortFlags(flags).map((flag) => (
        <Flag key={flag} flag={flag} />
      ))}
      <span class="session-tools">
        {TURN_TOOLS.map((Tool, index) => (
          <Tool key={index} session={session} run={run} turn={turn} />
        ))}
      </span>
      <p class="facts">
        <span>{formatTime(startedAt)}</span>
        <span>{endedAt === undefined ? "not finished" : formatDuration(endedAt - startedAt)}</span>
        {finishReason !== undefined && <span>{finishReason}</span>}
        {prompt !== undefined && <span>prompt {formatTokens(prompt)}</span>}
        {cached !== undefined && <span>cached {formatTokens(cached)}</span>}
        {thoughts !== undefined && <span>thoughts {formatTokens(thoughts)}</span>}
        {output !== undefined && <span>output {formatTokens(output)}</span>}
        {toolUse !== undefined && <span>tool use {formatTokens(toolUse)}</span>}
        {searchQueries !== undefined && <span>searches {formatTokens(searchQueries)}</span>}
        {requests > 1 && <span>{requests} requests</span>}
        <Money of={{ ...turn, currency: run.currency, pricesAsOf: run.pricesAsOf }} />
      </p>
    </div>
  );
}
