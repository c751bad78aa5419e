import type { JSX } from "preact";
import type { RunRow, TurnRow } from "../../../src/inspection/inspection.ts";
import { formatRoute } from "../app/route.ts";
import type { SessionModel } from "../session/session-model.ts";

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
  if (turn.number === 0 && run !== session.runs.value.at(-1)) return null;
  const item = turn.number === 0 ? undefined : turn.number;
  return (
    <a class="button" href={formatRoute({ kind: "session", id: session.id, tab: "fork", item })}>
      Fork here
    </a>
  );
}
