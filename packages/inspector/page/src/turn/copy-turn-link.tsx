import type { JSX } from "preact";
import type { RunRow, TurnRow } from "../../../src/inspection/inspection.ts";
import { formatRoute, turnRoute } from "../app/route.ts";
import type { SessionModel } from "../session/session-model.ts";
import { CopyButton } from "../ui/copy-button.tsx";

/** Copies the address of a turn. Its part from the `#` is that of the turn in the session's HTML file, too. */
export function CopyTurnLink({
  session,
  run,
  turn,
}: {
  readonly session: SessionModel;
  readonly run: RunRow;
  readonly turn: TurnRow;
}): JSX.Element {
  const address = (): string => new URL(formatRoute(turnRoute(session.id, run, turn)), location.href).href;
  return <CopyButton text={address} what="to the turn" title="Copy link" />;
}
