import { HttpError } from "@pollux/core/serving";
import type { Agent } from "@pollux/core";
import type { RunFold } from "../inspection/run-fold.ts";
import type { ExchangeFold } from "../inspection/exchange-fold.ts";
import { fieldsOf, textOf } from "../inspection/read-values.ts";

/** An agent given to the inspector. */
export interface NamedAgent {
  readonly name: string;
  readonly agent: Agent;
}

/**
 * The agent of a run: the requested one, the one that its requests or its metadata name, or the only one there is.
 *
 * @param wanted - The requested name; empty for none.
 * @throws {HttpError} When there is no agent with the requested name.
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
    const known = names.length === 0 ? "there are none: pass their file with --agent" : `there is ${names.join(", ")}`;
    throw new HttpError(404, "no_agent", `There is no agent "${wanted.slice(0, 100)}"; ${known}.`);
  }
  const sent = exchanges?.kept.exchanges.findLast(({ runId }) => runId === run?.runId)?.agent;
  const recorded = textOf(fieldsOf(run?.entry["metadata"])["agent"]);
  const found = find(sent) ?? find(recorded);
  if (found !== undefined || names.length !== 1) return found;
  // The only one, unless another agent made the run. "agent" is the default name.
  return sent === undefined || sent === "" || sent === "agent" ? find(names[0]) : undefined;
}

/** The requested run, or the last one. @throws {HttpError} When there is none. */
export function chooseRun(
  fold: { readonly runs: readonly RunFold[]; run(runId: string): RunFold | undefined },
  runId: string | null | undefined,
): RunFold {
  const run = runId === null || runId === undefined || runId === "" ? fold.runs.at(-1) : fold.run(runId);
  if (run === undefined) throw new HttpError(404, "not_found", "There is no such run in this session.");
  return run;
}
