import type { Agent } from "@pollux/core";
import { changedCalls, replayRun as replayRequests } from "@pollux/core/rehearsal";
import type { ReplayResult } from "../inspection/results.ts";
import { textOf } from "../inspection/read-values.ts";
import type { RunFold } from "../inspection/run-fold.ts";
import type { SessionCall, ViewHandler } from "../server/handlers.ts";
import { isLibraryError } from "../server/library-error.ts";
import { chooseAgent, chooseRun } from "./choose-agent.ts";
import { firstExchange, firstHead, type Kept, outputOf } from "./kept-head.ts";
import { rebuildAgent } from "./rebuilt-agent.ts";
import type { RequestHead } from "./request-head.ts";
import { askedModel, standInModel } from "./stand-in-model.ts";

/** Longest time of a replay, which may run functions of the agent. */
const MAX_MS = 30_000;

/**
 * Repeats a run from its log, without key or network, with a given agent or one rebuilt from the log and the kept requests. `run` and
 * `agent` in the query name them; an empty `agent` selects the rebuilt one.
 */
export const replayView: ViewHandler = async (call) => {
  const { query, request } = call;
  const [fold, exchanges] = [await call.fold(), await call.exchanges()];
  const kept: Kept = { fold, exchanges, run: chooseRun(fold, query.get("run")) };
  const wantsRebuilt = query.get("agent") === "";
  const named = wantsRebuilt ? undefined : chooseAgent(call.agents, kept, query.get("agent") ?? undefined);
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(MAX_MS)]);
  return await replayRun(call, kept, named, signal);
};

async function replayRun(
  call: SessionCall,
  kept: Kept,
  named: { readonly name: string; readonly agent: Agent } | undefined,
  signal: AbortSignal,
): Promise<ReplayResult> {
  const { runId } = kept.run;
  const rebuilt = named === undefined ? rebuildAgent(kept, unasked(kept)) : undefined;
  const agent = rebuilt?.agent ?? named?.agent;
  if (agent === undefined) throw new TypeError("there is no agent to replay");
  const output = outputOf(kept, firstHead(kept));
  const options = { signal, ...(output !== undefined && { output }) };
  const found = await differencesOf(agent, call, kept.run, options);
  const differences = [...found.differences, ...(await changedCalls(agent, kept.fold.entries, runId))];
  const isKept = named !== undefined && firstExchange(kept) !== undefined;
  const request = isKept ? await requestDifference(named.agent, kept, options) : undefined;
  return {
    ...found,
    agent: named?.name,
    isSame: differences.length === 0 && request === undefined,
    differences,
    request,
    notes: [...(rebuilt?.notes ?? []), ...found.notes],
  };
}

type Replayed = Omit<ReplayResult, "agent" | "isSame" | "request">;

async function differencesOf(
  agent: Agent,
  { id, store }: Pick<SessionCall, "id" | "store">,
  run: RunFold,
  options: Parameters<ReturnType<Agent["session"]>["replay"]>[0] & { readonly signal: AbortSignal },
): Promise<Replayed> {
  let turns = 0;
  let text = "";
  const replay = agent.session({ id, store }).replay({ runId: run.runId, ...options });
  try {
    for await (const event of replay) {
      if ("turn" in event) turns = Math.max(turns, event.turn ?? 0);
      if (event.type === "text-delta") text += event.delta;
    }
    const result = await replay.result();
    return { differences: [], stopReason: result.stopReason, turns: result.turns, text: result.text, notes: [] };
  } catch (error) {
    options.signal.throwIfAborted();
    if (isLibraryError(error, "ReplayDifferenceError"))
      return { differences: error.differences ?? [error.message], turns, text, notes: [] };
    const message = error instanceof Error ? error.message : String(error);
    // The replay reached the end of the log without a difference.
    const hasFailed = ["failed", "aborted"].includes(textOf(run.end?.["stopReason"]) ?? "");
    if (isLibraryError(error, "RunStepError") && (hasFailed || message.startsWith("the recorded run ended here")))
      return { differences: [], turns, text, notes: [`The log ends here: ${message}.`] };
    return { differences: [message], turns, text, notes: [] };
  }
}

/** The first difference between the kept requests of a run and the ones that the agent would send now. */
async function requestDifference(
  agent: Agent,
  { fold, run: { runId }, exchanges }: Kept,
  options: { readonly signal: AbortSignal; readonly output?: NonNullable<RequestHead["output"]> },
): Promise<ReplayResult["request"]> {
  const recording = { sessionId: fold.id, log: fold.entries, exchanges: exchanges.entries };
  const { difference } = await replayRequests(agent, recording, { runId, ...options });
  if (difference === undefined) return undefined;
  const { position, field, was, is } = difference;
  return { n: exchanges.kept.exchanges.findIndex((one) => one.position === position), field, was, is };
}

function unasked(kept: Kept): ReturnType<typeof standInModel> {
  return standInModel(askedModel(kept.run), async () => {
    throw new TypeError("a replay sends no requests");
  });
}
