import type { CauseView } from "../inspection/results.ts";
import type { ViewHandler } from "./handlers.ts";

/** Most runs inside a run to search. */
const MAX_RUNS = 100;

/** The kept causes of errors in a run and in the runs inside its calls. */
export const causesView: ViewHandler = async (call) => {
  const { exchanges } = (await call.exchanges()).kept;
  // Per run, the call of the outermost run that contains it.
  const callOf = new Map<string, string | undefined>([[call.query.get("run") ?? "", undefined]]);
  for (const { runId, parent } of exchanges)
    if (parent !== undefined && callOf.has(parent.runId) && !callOf.has(runId) && callOf.size < MAX_RUNS)
      callOf.set(runId, callOf.get(parent.runId) ?? parent.callId);
  const causes = Array.from(callOf, async ([runId, outerCallId]) =>
    (await call.causes(runId)).map((cause): CauseView => ({ ...cause, outerCallId })),
  );
  return (await Promise.all(causes)).flat();
};
