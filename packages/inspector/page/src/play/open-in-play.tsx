import type { JSX } from "preact";
import { useAbout } from "../acting/parts.tsx";
import { formatRoute } from "../app/route.ts";
import { useSession } from "../session/session-model.ts";

/** Goes on with a session in the playground, where its agent is open. */
export function OpenInPlay(): JSX.Element | null {
  const session = useSession();
  const { actions, agents } = useAbout();
  const { agent: name = "" } = session.runs.value.at(-1) ?? {};
  const agent = agents.includes(name) ? name : agents[0];
  if (agent === undefined || !actions.includes("play")) return null;
  return (
    <a class="button" href={formatRoute({ kind: "play", agent, session: session.id })}>
      Play
    </a>
  );
}
