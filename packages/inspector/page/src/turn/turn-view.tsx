import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useInspector } from "../app/inspector.ts";
import type { TurnRoute } from "../app/route.ts";
import { ForkHere } from "../fork/fork-here.tsx";
import { type TurnProps, useSession, useTurn } from "../session/session-model.ts";
import { RunTestButton } from "../take-away/run-test-button.tsx";
import { sortFlags } from "../timeline/flags.ts";
import { Flag } from "../timeline/row.tsx";
import { Money } from "../ui/money.tsx";
import { formatDuration, formatTime, formatTokens, turnTitle } from "../ui/format.ts";
import { Empty, Failure, Loading } from "../ui/notes.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { TurnWire } from "../wire/turn-wire.tsx";
import { exchangesOf } from "../wire/exchange-rows.ts";
import { CopyTurnLink } from "./copy-turn-link.tsx";
import { TurnContents } from "./turn-contents.tsx";
import { TurnEntries } from "./turn-entries.tsx";

/** All of one turn. */
export function TurnView({ selected }: { readonly selected: TurnRoute }): JSX.Element {
  const session = useSession();
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
  return <FoundTurn selected={selected} {...found} />;
}

function FoundTurn({ selected, run, turn }: TurnProps & { readonly selected: TurnRoute }): JSX.Element {
  const inspector = useInspector();
  const session = useSession();
  const { value, error } = useTurn({ run, turn });
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
      <TurnHead run={run} turn={turn} />
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
          <TurnWire rows={exchanges} selected={selected.item} onSelect={(n) => go({ tab: "wire", item: n })} />
        ) : error !== undefined ? (
          <Failure error={error} />
        ) : value === undefined ? (
          <Loading />
        ) : tab === "entries" ? (
          <TurnEntries details={value} />
        ) : (
          <TurnContents details={value} row={turn} />
        )}
      </div>
    </div>
  );
}

function TurnHead({ run, turn }: TurnProps): JSX.Element {
  const { usage, startedAt, endedAt, finishReason, flags, phase } = turn;
  const { prompt, cached, thoughts, output, toolUse, searchQueries: searches, requests = 1 } = usage;
  const tokens = Object.entries({ prompt, cached, thoughts, output, "tool use": toolUse, searches });
  return (
    <div class="turn-head">
      <h2>{turnTitle(turn)}</h2>
      {phase === "output" && <span class="tag">output</span>}
      {turn.agent !== undefined && <span class="tag">led by {turn.agent}</span>}
      {sortFlags(flags).map((flag) => (
        <Flag key={flag} flag={flag} />
      ))}
      <span class="session-tools">
        <CopyTurnLink run={run} turn={turn} />
        <ForkHere run={run} turn={turn} />
        <RunTestButton run={run} />
      </span>
      <p class="facts">
        <span>{formatTime(startedAt)}</span>
        <span>{endedAt === undefined ? "not finished" : formatDuration(endedAt - startedAt)}</span>
        {finishReason !== undefined && <span>{finishReason}</span>}
        {tokens.map(
          ([name, count]) =>
            count !== undefined && (
              <span key={name}>
                {name} {formatTokens(count)}
              </span>
            ),
        )}
        {requests > 1 && <span>{requests} requests</span>}
        <Money of={{ ...turn, currency: run.currency, pricesAsOf: run.pricesAsOf }} />
      </p>
    </div>
  );
}
