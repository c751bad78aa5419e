import type { Agent } from "@pollux/core";
import { messageIn, start } from "../actions/act-on-session.ts";
import { fieldsOf, textOf } from "../inspection/read-values.ts";
import { chooseAgent } from "../replay/choose-agent.ts";
import type { ActionHandler, SessionCall } from "../server/handlers.ts";
import { playOptions, readChanges } from "./play-options.ts";

/**
 * Sends a message to an agent, in a new or stored session. The run uses the agent as its code defines it, with `changes`. Its metadata
 * records them, so that they still apply after a resume.
 */
export const playAction: ActionHandler = async (call, body) => {
  const { agent: wanted, changes: given, context } = fieldsOf(body);
  const { name, agent } = chosen(call, textOf(wanted) ?? "");
  const message = messageIn(body);
  const changes = readChanges(given);
  const session = agent.session({ id: call.id, store: call.store });
  const options = playOptions(agent, changes, { rehearsal: call.rehearsal, context });
  const metadata = { agent: name, ...(Object.keys(changes).length > 0 && { changes: { ...changes } }) };
  if (context === undefined) call.contexts.delete(call.id);
  else call.contexts.set(call.id, context);
  return await start(call, session, session.stream(message, { ...options, metadata }), "Sent.");
};

function chosen({ agents }: SessionCall, wanted: string): { readonly name: string; readonly agent: Agent } {
  const named = chooseAgent(agents, {}, wanted);
  if (named === undefined) throw new TypeError(`agent must be one of ${Object.keys(agents).join(", ")}.`);
  return named;
}
