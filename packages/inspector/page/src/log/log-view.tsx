import type { Json } from "@pollux/core";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { useInspector } from "../app/inspector.ts";
import { useKeys } from "../app/use-keys.ts";
import { useLoad } from "../app/use-load.ts";
import type { SessionPanelProps } from "../session/panel-props.ts";
import { describeEntry } from "../turn/turn-entries.tsx";
import { JsonCode } from "../ui/code.tsx";
import { formatTime } from "../ui/format.ts";
import { Empty, Failure, Loading } from "../ui/notes.tsx";
import { ItemRows } from "../ui/virtual-rows.tsx";

/** The log as it is stored. */
export function LogView({ session, overview, route }: SessionPanelProps): JSX.Element {
  const inspector = useInspector();
  const { length, problems } = overview;
  const { value, error } = useLoad(["log", session.id, length], () => session.source.log(session.id), "log");
  const wrong = useMemo(() => new Map(problems.map(({ position, problem }) => [position, problem])), [problems]);
  const entries = value ?? [];
  const current = Math.min(route.item ?? 0, Math.max(0, entries.length - 1));
  const go = (index: number, isReplaced: boolean = true): void => {
    const item = Math.max(0, Math.min(entries.length - 1, index));
    inspector.go({ kind: "session", id: session.id, tab: "log", item }, isReplaced);
  };
  useKeys("Log", 2, [
    { keys: ["j", "ArrowDown"], does: "Next entry", run: () => go(current + 1) },
    { keys: ["k", "ArrowUp"], does: "Previous entry", run: () => go(current - 1) },
    { keys: ["g", "Home"], does: "First entry", run: () => go(0) },
    { keys: ["G", "End"], does: "Last entry", run: () => go(entries.length - 1) },
  ]);
  if (error !== undefined) return <Failure error={error} />;
  if (value === undefined) return <Loading />;
  const entry = entries[current];
  if (entry === undefined) return <Empty title="The log has no entries" />;
  return (
    <div class="split">
      <section class="timeline" aria-label="Entries">
        <div class="fill">
          <ItemRows
            class="log-rows"
            items={entries}
            height={24}
            selected={current}
            attributes={{
              role: "grid",
              tabIndex: 0,
              "aria-label": "Entries of the log",
              "aria-rowcount": entries.length,
              "aria-activedescendant": `entry-${current}`,
            }}
            row={(one, index, style) => (
              <div
                key={index}
                id={`entry-${index}`}
                class={`log-row${index === current ? " is-selected" : ""}`}
                role="row"
                aria-rowindex={index + 1}
                aria-selected={index === current}
                style={style}
                onClick={() => go(index, false)}
              >
                <span role="gridcell" class="mono dim number">
                  {index}
                </span>
                <span role="gridcell" class="mono log-name">
                  {describeEntry(one)}
                </span>
                <span role="gridcell" class="bad log-problem">
                  {wrong.get(index)}
                </span>
                <span role="gridcell" class="dim number">
                  {timeOf(one)}
                </span>
              </div>
            )}
          />
        </div>
      </section>
      <section class="details" aria-label="Entry">
        <div class="turn-body">
          <h2>Entry {current}</h2>
          {wrong.has(current) && <p class="banner is-error">{wrong.get(current)}</p>}
          <JsonCode value={entry} label={`Entry ${current}`} />
        </div>
      </section>
    </div>
  );
}

function timeOf(entry: Json): string {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return "";
  const { at } = entry as { readonly [name: string]: unknown };
  return typeof at === "number" ? formatTime(at) : "";
}
