import { Agent, AgentError, type RunResult, runSoFar } from "@pollux/core";
import type { Fault } from "@pollux/emulator";
import { expect } from "vitest";
import type { Face } from "../../packages/core/test/helpers/faces.ts";
import { CATALOG } from "./fault-catalog.ts";
import { inMadeUpTime, SILENCE_MS } from "./made-up-time.ts";
import { ANSWER, goOn, TOOLS, trip } from "./trip.ts";
import { openWorld, type World } from "./world.ts";

/** A fault of the catalog. */
export type FaultName = keyof typeof CATALOG;

/** How a run ends if a fault hits its request once, and repeatedly: with a stop reason, or the code of an error. */
export const ENDS: { readonly [Each in FaultName]: readonly [once: string, always: string] } = {
  perMinuteQuota: ["finished", "api_status"],
  perDayQuota: ["api_status", "api_status"],
  tierWithoutModel: ["api_status", "api_status"],
  plainQuota: ["finished", "api_status"],
  inputTokenQuota: ["finished", "api_status"],
  prepaidEmpty: ["api_status", "api_status"],
  spendRate: ["finished", "api_status"],
  apiError: ["api_status", "api_status"],
  overloaded: ["finished", "api_status"],
  internalError: ["finished", "api_status"],
  deadlineExceeded: ["finished", "api_status"],
  cancelled: ["finished", "api_status"],
  htmlPage: ["finished", "api_status"],
  arrayWrappedError: ["finished", "api_status"],
  gatewayStatus: ["finished", "api_status"],
  errorInStream: ["finished", "api_status"],
  gatewayErrorInStream: ["finished", "api_status"],
  closeEarly: ["finished", "stream_incomplete"],
  closeMidJson: ["finished", "stream_incomplete"],
  reset: ["finished", "api_network"],
  stall: ["finished", "api_timeout"],
  slowFirstByte: ["finished", "api_timeout"],
  usageOnlyChunk: ["finished", "finished"],
  emptyStop: ["finished", "empty"],
  onlyThoughts: ["finished", "empty"],
  noCandidates: ["finished", "stream_incomplete"],
  malformedCall: ["finished", "bad-call"],
  unexpectedToolCall: ["finished", "bad-call"],
  maxTokensMidCall: ["finished", "truncated"],
  maxTokens: ["truncated", "truncated"],
  safety: ["blocked", "blocked"],
  finishReason: ["unknown-finish", "unknown-finish"],
  promptBlocked: ["response_blocked", "response_blocked"],
  driftingOffsets: ["finished", "finished"],
  brokenArgs: ["finished", "finished"],
  duplicateIds: ["finished", "finished"],
  missingIds: ["finished", "finished"],
  undeclaredCall: ["finished", "repeated-calls"],
  callDespiteNone: ["finished", "repeated-calls"],
};

/** The result of a run, with any ending. */
async function outcome(
  face: Face,
  world: World,
  what: string,
): Promise<{ end: string; soFar: Pick<RunResult, "contents" | "turns" | "usage"> }> {
  const agent = new Agent({
    model: world.model(undefined, {
      retry: { maxAttempts: 2, minDelayMs: 1, maxDelayMs: 2 },
      timeouts: { firstByteMs: SILENCE_MS, idleMs: SILENCE_MS, totalMs: Number.POSITIVE_INFINITY },
    }),
    tools: TOOLS,
    limits: { restarts: 1 },
  });
  try {
    const result = await face(agent, "Weather?");
    if (result.stopReason === "finished") expect({ what, text: result.text }).toEqual({ what, text: ANSWER });
    return { end: result.stopReason, soFar: result };
  } catch (error) {
    const soFar = runSoFar(error);
    if (error instanceof AgentError && soFar !== undefined) return { end: error.code, soFar };
    throw new Error(`${what}: an error without a type, or without what was done until then`, { cause: error });
  }
}

/**
 * Injects the fault at the nth request of a run of three: once, or from there on.
 *
 * @returns How the run ended.
 */
export async function meetFault(face: Face, name: FaultName, at: number, always: boolean): Promise<string> {
  const fault: Fault = CATALOG[name];
  const what = `${name} at request ${at}${always ? " and ever after" : ""}`;
  let down = true;
  await using world = await openWorld({
    brain: trip(),
    faults: [{ at: ({ number }) => down && (always ? number >= at : number === at), fault }],
  });
  const { end, soFar } = await inMadeUpTime(world.takeSilence, () => outcome(face, world, what));
  down = false;

  // The result has everything before that request: a model content and its responses for each turn.
  const done = at - 1;
  const { contents, usage, turns } = soFar;
  const isKept = contents.length >= 1 + 2 * done && usage.requests >= done && turns >= done;
  expect({ what, isKept }).toEqual({ what, isKept: true });
  // And the run can continue from there.
  const again = await new Agent({ model: world.model(), tools: TOOLS }).run(goOn(contents));
  expect({ what, ...again }).toMatchObject({ what, stopReason: "finished", text: ANSWER });
  expect({ what, contents: again.contents.slice(0, contents.length) }).toEqual({ what, contents });
  return end;
}
