import type { JSX } from "preact";
import { formatRoute, turnRoute } from "../app/route.ts";
import { type TurnProps, useSession } from "../session/session-model.ts";
import { CopyButton } from "../ui/copy-button.tsx";

/** Copies the address of a turn. Its part from the `#` is that of the turn in the session's HTML file, too. */
export function CopyTurnLink({ run, turn }: TurnProps): JSX.Element {
  const { id } = useSession();
  const address = (): string => new URL(formatRoute(turnRoute(id, run, turn)), location.href).href;
  return <CopyButton text={address} what="to the turn" title="Copy link" />;
}
