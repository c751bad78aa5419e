import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useInspector } from "../app/inspector.ts";
import { formatRoute, type TurnRoute, turnRoute } from "../app/route.ts";
import { type TurnProps, useSession, useTurn } from "../session/session-model.ts";
import { useSave } from "../take-away/take-away-menu.tsx";
import { sortFlags } from "../../../src/inspection/flags.ts";
import { USAGE_NAMES } from "../../../src/inspection/usage.ts";
import { Flag } from "../timeline/row.tsx";
import { Money } from "../ui/money.tsx";
import { formatDuration, formatTime, formatTokens, turnTitle } from "../ui/format.ts";
import { Empty, Waiting } from "../ui/notes.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { TurnWire } from "../wire/wire-view.tsx";
import { exchangesOf } from "../wire/exchange-rows.ts";
import { TurnContents } from "./turn-contents.tsx";
import { TurnEntries } from "./turn-entries.tsx";
import { Button, CopyButton } from "../acting/parts.tsx";

/** One turn in full. */
export function TurnView({ selected }: { readonly selected: TurnRoute }): JSX.Element {
  const session = useSession();
  const found = session.find(selected);
  const { earlier } = session.overview.value ?? {};
  if (earlier !== undefined && (found === undefined || selected.tab === "wire")) {
    session.whole();
    return <Waiting />;
  }
  if (found === undefined)
    return (
      <Empty title="There is no such turn">
        <p>{`The session has no turn ${selected.turn}${selected.runId === undefined ? "" : ` in run ${selected.runId}`}.`}</p>
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
    <div class="turn fill">
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
        class="turn-body stack"
        role="tabpanel"
        aria-labelledby={`turn-panel-tab-${tab}`}
        tabIndex={0}
      >
        {tab === "wire" ? (
          <TurnWire rows={exchanges} selected={selected.item} onSelect={(n) => go({ tab: "wire", item: n })} />
        ) : value === undefined ? (
          <Waiting error={error} />
        ) : tab === "entries" ? (
          <TurnEntries details={value} />
        ) : (
          <TurnContents details={value} run={run} turn={turn} />
        )}
      </div>
    </div>
  );
}

function TurnHead({ run, turn }: TurnProps): JSX.Element {
  const { usage, startedAt, endedAt, finishReason, flags, phase } = turn;
  const { requests = 1 } = usage;
  const { id } = useSession();
  const save = useSave();
  // The hash also works in the session's HTML file.
  const address = (): string => new URL(formatRoute(turnRoute(id, run, turn)), location.href).href;
  return (
    <div class="turn-head wrap">
      <h2>{turnTitle(turn)}</h2>
      {phase === "output" && <span class="tag">output</span>}
      {turn.agent !== undefined && <span class="tag">led by {turn.agent}</span>}
      {sortFlags(flags).map((flag) => (
        <Flag key={flag} flag={flag} />
      ))}
      <span class="to-end wrap">
        <CopyButton text={address} what="to the turn" title="Copy link" />
        <ForkHere run={run} turn={turn} />
        <Button
          say="Save as test"
          title="Save this run as a failing vitest test, with its recording"
          onClick={() => void save("test", { run: run.runId })}
        />
      </span>
      <p class="facts small wrap">
        <span>{formatTime(startedAt)}</span>
        <span>{endedAt === undefined ? "not finished" : formatDuration(endedAt - startedAt)}</span>
        {finishReason !== undefined && <span>{finishReason}</span>}
        {USAGE_NAMES.map(([title, name]) => {
          const count = usage[name] ?? 0;
          return name !== "requests" && count > 0 && <span key={name}>{`${title} ${formatTokens(count)}`}</span>;
        })}
        {requests > 1 && <span>{requests} requests</span>}
        <Money of={{ ...turn, currency: run.currency, pricesAsOf: run.pricesAsOf }} />
      </p>
    </div>
  );
}

/** A link to fork the session at a turn. */
function ForkHere({ run, turn }: TurnProps): JSX.Element | null {
  const { id, runs } = useSession();
  if (turn.number === 0 && run !== runs.value.at(-1)) return null;
  const item = turn.number === 0 ? undefined : turn.number;
  return (
    <a class="button" href={formatRoute({ kind: "session", id, tab: "fork", item })}>
      Fork here
    </a>
  );
}
