import type { JSX } from "preact";
import type { RunRow, TurnRow } from "../../../src/inspection/inspection.ts";
import { formatRoute } from "../app/route.ts";
import type { SessionModel } from "../session/session-model.ts";
import { forkPoints } from "./fork-point.ts";

/** Goes from a turn to its fork. */
export function ForkHere({
  session,
  run,
  turn,
}: {
  readonly session: SessionModel;
  readonly run: RunRow;
  readonly turn: TurnRow;
}): JSX.Element | null {
  const overview = session.overview.value;
  if (overview === undefined) return null;
  const point = forkPoints(overview).find((one) => one.run.runId === run.runId && one.turn === turn.turn);
  if (point === undefined) return null;
  return (
    <a class="button" href={formatRoute({ kind: "session", id: session.id, tab: "fork", item: point.index })}>
      Fork here
    </a>
  );
}
