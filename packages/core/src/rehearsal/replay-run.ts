import type { Agent } from "../agent/agent.ts";
import type { AnyRunOptions } from "../agent/options.ts";
import type { MakeAgain } from "../durable/journal.ts";
import { messageOf } from "../errors/agent-error.ts";
import { ReplayDifferenceError, SessionDamagedError } from "../errors/run-errors.ts";
import { asObject, firstDifference, isObject, type Json } from "../internal/json.ts";
import { textOf } from "../internal/text.ts";
import type { RunResult } from "../loop/result.ts";
import { RecordOpener } from "../session/runs/record-opener.ts";
import { SessionLog } from "../session/log/session-log.ts";
import { MemoryStore } from "../session/store/memory-store.ts";
import type { Rehearsal } from "../tool/tool.ts";
import { changedCalls } from "./recorded-calls.ts";
import type { BodyDifference } from "./compare-bodies.ts";
import { KeptRequests, type SentRequest } from "./kept-requests.ts";
import { gemini, type GeminiModel } from "../model/gemini-model.ts";
import type { Model } from "../model/model.ts";
import { endpoint } from "../wire/endpoints/endpoint.ts";

/** Options of {@link replayRun}: the run to replay, and the options that it had. */
export interface ReplayOptions extends Omit<AnyRunOptions, "rehearsal" | "steps" | "parent" | "read"> {
  /** @defaultValue the last one */
  readonly runId?: string | undefined;
}

/** The result of a replay. */
export interface ReplayReport {
  readonly runId: string;
  readonly isSame: boolean;
  /** Requests that were built and compared, including those of runs inside calls. */
  readonly requests: number;
  /** The first request that differs; the replay ends there. */
  readonly difference?: BodyDifference | undefined;
  /** Another difference, as text for a person: an outcome, an ending, a missing or extra request. */
  readonly problem?: string | undefined;
  /** Absent when the replay ended early, and for a run that ended without one. */
  readonly result?: RunResult<unknown> | undefined;
}

/**
 * Replays a run from its recording, without key, network or tools: the agent as it is now builds every request, which is compared byte for
 * byte with the kept one. Answers, outcomes, approvals and the time are the recorded ones; instructions, `prepareTurn` and guardrails are
 * called again, and so are all hooks of runs inside calls. A call that read something that has changed is a problem, too: {@link changedCalls}.
 *
 * @throws {TypeError} When the log has no such run, or requests were not kept: see `keepExchanges`. Also throws the signal's reason.
 * @example
 * ```ts
 * const report = await replayRun(agent, { log: await sessions.load("chat-1"), exchanges: await exchanges.load("chat-1") });
 * if (!report.isSame) console.error(report.difference?.field ?? report.problem);
 * ```
 */
export async function replayRun(
  agent: Agent,
  { log, exchanges, sessionId = "recording" }: Recording,
  { runId: wanted, ...options }: ReplayOptions = {},
): Promise<ReplayReport> {
  const own = log.map(asObject).filter((entry) => wanted === undefined || entry["runId"] === wanted);
  const begun = own.findLast(({ type }) => type === "run");
  if (begun === undefined) throw new TypeError(`the recording has no run${wanted === undefined ? "" : ` ${wanted}`}`);
  const runId = String(begun["runId"]);
  const entries = own.filter((entry) => entry["runId"] === runId);
  const kept = new KeptRequests(exchanges, runId);
  if (kept.isEmpty && entries.some(({ place }) => asObject(place)["kind"] === "model"))
    throw new TypeError(`the requests of run ${runId} were not kept: give its agent the observer keepExchanges(store)`);
  const end = entries.findLast(({ type }) => type === "end" || type === "resume") ?? {};
  const store = new MemoryStore();
  await store.append(sessionId, 0, log);
  // The limit of the session that ended the run.
  const { scope, name, limit } = asObject(end["reached"]);
  const limits = scope === "session" && typeof name === "string" ? { [name]: limit as number } : undefined;
  const bounds = { limits, ownerBudget: undefined };
  const opener = new RecordOpener(new SessionLog(store, sessionId), agent.runs.sessionHost(), bounds);
  const loop = opener.replay(
    runId,
    { options: { ...options, rehearsal: rehearse(kept) }, emitters: undefined },
    again(kept),
  );
  const report = (found: Omit<ReplayReport, "runId" | "requests">): ReplayReport => ({
    runId,
    requests: kept.compared,
    ...found,
  });
  try {
    const result = await loop.run();
    const problem = kept.findProblem() ?? (await changedCalls(agent, log, runId))[0];
    return problem === undefined ? report({ isSame: true, result }) : report({ isSame: false, problem });
  } catch (error) {
    options.signal?.throwIfAborted();
    const { difference } = kept;
    if (difference !== undefined) return report({ isSame: false, difference });
    const isOver = !(error instanceof ReplayDifferenceError) && ENDS_WITHOUT_RESULT.has(end["stopReason"]);
    const why = error instanceof ReplayDifferenceError ? error.differences.join("; ") : messageOf(error);
    // Of a log that this release can't read, no request is made.
    const problem = error instanceof SessionDamagedError ? why : (kept.findProblem() ?? (isOver ? undefined : why));
    return report({ isSame: problem === undefined, ...(problem !== undefined && { problem }) });
  } finally {
    loop.release();
  }
}

/** Stop reasons of runs without a result, whose replay stops at the end of the log; undefined for a run that was cut off. */
const ENDS_WITHOUT_RESULT: ReadonlySet<unknown> = new Set(["failed", "aborted", "damaged", undefined]);

function rehearse(kept: KeptRequests): Rehearsal {
  const models = replicas();
  return {
    now: () => kept.now,
    // The person has answered: the outcome of the call is recorded.
    approve: async () => true,
    model: (asked, at) => models(asked, at.runId, kept.requestsOf(at)),
    call: async ({ runId, turn, callId, call, tool }) => {
      // Runs inside are rehearsed as well.
      if (tool.handoff !== undefined || kept.hasInside(runId, callId)) return undefined;
      const response = kept.responseTo(runId, turn, callId);
      if (response === undefined)
        return kept.stop(`the outcome of ${callId} (${call.name}) in a run inside was not kept`);
      const { output, error } = response;
      return error === undefined ? { ok: true, output } : { ok: false, kind: "failed", message: textOf(error) };
    },
  };
}

/** Repeats requests, guardrails, and calls that have runs inside. Their recorded outcomes stand if the new ones are the same. */
function again(kept: KeptRequests): MakeAgain {
  return ({ name, place }, known, make) => {
    const isRequest = place?.kind === "model";
    const hasInside = !isRequest && kept.hasInside(undefined, name);
    if (isRequest ? !kept.begin(name, known) : known === undefined || (!hasInside && place?.kind !== "guard"))
      return undefined;
    if (!isRequest) kept.setTime(known, "startedAt");
    return (async () => {
      const made = await make();
      if (kept.isStopped) throw new ReplayDifferenceError(name, [kept.findProblem() ?? "a request differs"]);
      if (known === undefined) return made;
      // A guardrail that fails now proves nothing.
      const isCompared = !isRequest && known.ok && made.ok;
      const where = isCompared ? firstDifference(comparable(known.value), comparable(made.value)) : undefined;
      if (where !== undefined) kept.stop(`${name} has another outcome now: it differs at ${where}`);
      kept.setTime(known, "endedAt");
      return known;
    })();
  };
}

/** The outcome of a step, without times and usage. */
function comparable(value: unknown): unknown {
  if (!isObject(value)) return value;
  const { part, summary, actions, contents, response, given } = value;
  return JSON.parse(JSON.stringify({ part, summary, actions, contents, response, given }));
}

/** The recording of a session. */
export interface Recording {
  /** Its id, which instructions and hooks may read. @defaultValue "recording" */
  readonly sessionId?: string | undefined;
  /** Entries of its log, as its store returns them. */
  readonly log: readonly Json[];
  /** Entries that `keepExchanges` wrote; empty when requests were not kept. */
  readonly exchanges: readonly Json[];
}

/** Answers the HTTP requests of a run. */
export type Answer = (sent: SentRequest) => Response;

/** Creates models that build requests as other models do, and send them to a recording. Each run has its own, which learns as the run's model did. */
export function replicas(): (asked: Model, runId: string, answer: Answer) => Model {
  const made = new WeakMap<Model, Map<string, GeminiModel>>();
  return (asked, runId, answer) => {
    const own = made.get(asked) ?? new Map<string, GeminiModel>();
    made.set(asked, own);
    const replica = own.get(runId) ?? replicaOf(asked, answer);
    own.set(runId, replica);
    return replica;
  };
}

function replicaOf(
  { id, capabilities, endpointKind, streams = true, maxRequestBytes }: Model,
  answer: Answer,
): GeminiModel {
  return gemini(id, {
    // Receives no request.
    endpoint: endpoint({ baseUrl: "http://replay.invalid", auth: "none", kind: endpointKind ?? "developer" }),
    capabilities,
    transport: streams ? "stream" : "unary",
    maxRequestBytes,
    // The recording has the result of all attempts.
    retry: { maxAttempts: 1 },
    fetch: async (url, init) => {
      const body = new Uint8Array(await new Response(init?.body).arrayBuffer());
      return answer({ method: init?.method ?? "GET", url, body });
    },
  });
}
