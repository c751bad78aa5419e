import type { CauseView } from "../inspection/results.ts";
import type { ViewHandler } from "./handlers.ts";

/** Runs inside a run that are looked at, at most. */
const MAX_RUNS = 100;

/** What was kept of the causes in a run, and in the runs inside its calls. */
export const causesView: ViewHandler = async (call) => {
  const { exchanges } = (await call.exchanges()).kept;
  // By run: the call of the outermost that it is inside of.
  const callOf = new Map<string, string | undefined>([[call.query.get("run") ?? "", undefined]]);
  for (const { runId, parent } of exchanges)
    if (parent !== undefined && callOf.has(parent.runId) && !callOf.has(runId) && callOf.size < MAX_RUNS)
      callOf.set(runId, callOf.get(parent.runId) ?? parent.callId);
  const causes = Array.from(callOf, async ([runId, outerCallId]) =>
    (await call.causes(runId)).map((cause): CauseView => ({ ...cause, outerCallId })),
  );
  return (await Promise.all(causes)).flat();
};
