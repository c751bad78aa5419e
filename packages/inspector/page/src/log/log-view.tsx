import type { Json } from "@pollux/core";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { fieldsOf, numberOf } from "../../../src/inspection/read-values.ts";
import { useInspector, useKeys, useLoad } from "../app/inspector.ts";
import { describeEntry } from "../turn/turn-entries.tsx";
import { JsonCode } from "../ui/code.tsx";
import { formatTime } from "../ui/format.ts";
import { Empty, Waiting } from "../ui/notes.tsx";
import { type Column, Grid, listKeys } from "../ui/grid.tsx";
import type { SessionPanelProps } from "../session/session-model.ts";

/** The log as stored. */
export function LogView({ session, overview, route }: SessionPanelProps): JSX.Element {
  const inspector = useInspector();
  const { length, problems } = overview;
  const { value, error } = useLoad(
    ["log", session.id, length],
    () => session.source.view<readonly Json[]>(session.id, "log"),
    "log",
  );
  const wrong = useMemo(() => new Map(problems.map(({ position, problem }) => [position, problem])), [problems]);
  const entries = value ?? [];
  const current = Math.min(route.item ?? 0, Math.max(0, entries.length - 1));
  const go = (item: number, isReplaced: boolean = true): void =>
    inspector.go({ kind: "session", id: session.id, tab: "log", item }, isReplaced);
  useKeys("Log", 2, listKeys("entry", entries.length, current, go));
  if (value === undefined) return <Waiting error={error} />;
  const entry = entries[current];
  const columns: readonly Column<Json>[] = [
    { title: "Entry", class: "mono dim number", cell: (_, index) => index },
    { title: "Type", class: "mono log-name", cell: describeEntry },
    { title: "Problem", class: "bad log-problem", cell: (_, index) => wrong.get(index) },
    { title: "Time", class: "dim number", cell: timeOf },
  ];
  if (entry === undefined) return <Empty title="The log has no entries" />;
  return (
    <div class="split">
      <section class="timeline fill" aria-label="Entries">
        <div class="fill">
          <Grid
            name="log"
            label="Entries of the log"
            items={entries}
            columns={columns}
            height={24}
            selected={current}
            onSelect={(index) => go(index, false)}
            hasHead={false}
          />
        </div>
      </section>
      <section class="details fill" aria-label="Entry">
        <div class="turn-body stack">
          <h2>Entry {current}</h2>
          {wrong.has(current) && <p class="banner is-error">{wrong.get(current)}</p>}
          <JsonCode value={entry} label={`Entry ${current}`} />
        </div>
      </section>
    </div>
  );
}

function timeOf(entry: Json): string {
  const at = numberOf(fieldsOf(entry)["at"]);
  return at === undefined ? "" : formatTime(at);
}
