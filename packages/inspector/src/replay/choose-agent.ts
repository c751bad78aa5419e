import { HttpError } from "@pollux/core/serving";
import type { Agent } from "@pollux/core";
import type { RunFold } from "../inspection/run-fold.ts";
import type { ExchangeFold } from "../inspection/exchange-fold.ts";
import { fieldsOf, textOf } from "../inspection/read-values.ts";

/** An agent that was given to the inspector. */
export interface NamedAgent {
  readonly name: string;
  readonly agent: Agent;
}

/**
 * The agent of a run: the one that was asked for, the one that its requests or its metadata name, or the only one there is.
 *
 * @param wanted - Its name, as the page sent it; empty for none.
 * @throws {HttpError} When the one that was asked for is not there.
 */
export function chooseAgent(
  agents: Readonly<Record<string, Agent>>,
  { run, exchanges }: { readonly run?: RunFold | undefined; readonly exchanges?: ExchangeFold | undefined },
  wanted: string | undefined,
): NamedAgent | undefined {
  const find = (name: string | undefined): NamedAgent | undefined => {
    const agent = name !== undefined && Object.hasOwn(agents, name) ? agents[name] : undefined;
    return agent === undefined || name === undefined ? undefined : { name, agent };
  };
  const names = Object.keys(agents);
  if (wanted !== undefined && wanted !== "") {
    const found = find(wanted);
    if (found !== undefined) return found;
    const known = names.length === 0 ? "there are none: name their file with --agent" : `there is ${names.join(", ")}`;
    throw new HttpError(404, "no_agent", `There is no agent "${wanted.slice(0, 100)}"; ${known}.`);
  }
  const sent = exchanges?.kept.exchanges.findLast(({ runId }) => runId === run?.runId)?.agent;
  const said = textOf(fieldsOf(run?.entry["metadata"])["agent"]);
  const found = find(sent) ?? find(said);
  if (found !== undefined || names.length !== 1) return found;
  // The only one, unless the run was another's. Without a name of its own, an agent's is "agent".
  return sent === undefined || sent === "" || sent === "agent" ? find(names[0]) : undefined;
}

/** The run that was asked for, or the last one. @throws {HttpError} When there is none. */
export function chooseRun(
  fold: { readonly runs: readonly RunFold[]; run(runId: string): RunFold | undefined },
  runId: string | null | undefined,
): RunFold {
  const run = runId === null || runId === undefined || runId === "" ? fold.runs.at(-1) : fold.run(runId);
  if (run === undefined) throw new HttpError(404, "not_found", "There is no such run in this session.");
  return run;
}
