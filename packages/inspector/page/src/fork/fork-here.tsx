import type { JSX } from "preact";
import { formatRoute } from "../app/route.ts";
import { type TurnProps, useSession } from "../session/session-model.ts";

/** Goes from a turn to its fork. */
export function ForkHere({ run, turn }: TurnProps): JSX.Element | null {
  const session = useSession();
  if (turn.number === 0 && run !== session.runs.value.at(-1)) return null;
  const item = turn.number === 0 ? undefined : turn.number;
  return (
    <a class="button" href={formatRoute({ kind: "session", id: session.id, tab: "fork", item })}>
      Fork here
    </a>
  );
}
