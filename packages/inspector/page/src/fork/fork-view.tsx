import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { SelectField } from "../acting/parts.tsx";
import { useInspector } from "../app/inspector.ts";
import { useLoad } from "../app/use-load.ts";
import { turnTitle } from "../ui/format.ts";
import { Empty, Failure, Loading } from "../ui/notes.tsx";
import { CompareWith } from "./compare-with.tsx";
import { ForkForm } from "./fork-form.tsx";
import { type ForkDefaults, forkPoints, loadDefaults } from "./fork-point.ts";
import type { SessionPanelProps } from "../session/session-model.ts";

/** Turns that can be chosen from a list; any other is chosen in the timeline. */
const MAX_CHOICES = 500;

/** Forks a session at a turn, and shows both branches. */
export function ForkView({ session, overview, route }: SessionPanelProps): JSX.Element {
  const inspector = useInspector();
  const points = useMemo(() => forkPoints(overview), [overview]);
  // One without an answer has no number; it can only be the last.
  const chosen = points.findIndex(({ row }) => row.number === route.item && row.number > 0);
  const index = chosen === -1 ? points.length - 1 : chosen;
  const point = points[index];
  const key = ["fork", session.id, point?.run.runId, point?.turn, overview.exchanges];
  const { value, error } = useLoad<ForkDefaults>(key, async () =>
    point === undefined ? { results: [] } : await loadDefaults(session, point),
  );
  if (point === undefined)
    return (
      <Empty title="There is nothing to fork">
        <p>A fork begins at a turn, and the session has none yet.</p>
      </Empty>
    );
  const choices = points.slice(Math.max(0, Math.min(index - MAX_CHOICES / 2, points.length - MAX_CHOICES)));
  return (
    <div class="acting stack">
      <p>
        Begins another session that is the same up to a turn, with something changed there. Nothing before the turn is
        done again.
      </p>
      <SelectField
        label="Ask again from"
        value={String(point.row.number)}
        onChange={(item) => inspector.go({ kind: "session", id: session.id, tab: "fork", item: Number(item) }, true)}
        options={choices
          .slice(0, MAX_CHOICES)
          .map(({ run, row }) => [String(row.number), `${turnTitle(row)} of “${run.input.slice(0, 60)}”`])}
      />
      {error !== undefined ? (
        <Failure error={error} />
      ) : value === undefined ? (
        <Loading />
      ) : (
        <ForkForm key={key.join()} point={point} defaults={value} />
      )}
      <CompareWith />
    </div>
  );
}
