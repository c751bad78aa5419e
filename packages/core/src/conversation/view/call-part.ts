import type { CallStepValue } from "../../durable/run-log.ts";
import { isObject } from "../../internal/json.ts";
import type { CallStanding } from "../../session/log/placed-steps.ts";
import { buildPendingCall } from "../../tool/pending-call.ts";
import type { PendingCall, ToolErrorKind, ToolOutcome } from "../../tool/tool.ts";
import type { JsonObject } from "../../wire/types/content.ts";
import { QUESTION_OF } from "../updates.ts";
import type { ToolCallPart, ToolCallState } from "../conversation.ts";

/** What is known of a call. */
export interface KnownCall {
  /** With the arguments that a person gave it. */
  readonly part: ToolCallPart;
  /** How it has ended, or what was decided in its place. */
  readonly outcome?: ToolOutcome | undefined;
  /** What it waits for. */
  readonly pending?: Pick<PendingCall, "question" | "token" | "approvedBy" | "editable" | "because"> | undefined;
  /** `recorded`: it may have taken effect. */
  readonly begun?: "seen" | "recorded" | undefined;
  readonly progress?: unknown;
}

/** What a run leaves of calls that have not ended: of those that wait for an answer, and of others. Absent: they stay as they are. */
export interface CallsLeft {
  readonly isGoing: boolean;
  readonly asked?: ToolErrorKind | undefined;
  readonly open?: ToolErrorKind | undefined;
}

/** A call as it stands after something was recorded about it. */
export function standCall(
  { part: known, begun, progress }: KnownCall,
  standing: CallStanding,
  { runId, turn }: { readonly runId: string; readonly turn: number },
): KnownCall {
  const { call } = standing;
  const part = standing.edited === true ? editCall(known, call.args) : known;
  switch (standing.state) {
    case "ended":
      return { part, outcome: outcomeOf(standing.step.value) };
    case "settled":
      return { part, outcome: standing.outcome };
    case "asking": {
      const { question, asked, time } = standing;
      return { part, pending: buildPendingCall(runId, { turn, callId: part.id, call, question }, asked, time) };
    }
    case "begun":
      return { part, begun: "recorded", progress };
    default:
      return { part, begun, progress };
  }
}

/** A person gave it other arguments. */
export function editCall(part: ToolCallPart, args: JsonObject = {}): ToolCallPart {
  return { ...part, args, edited: true };
}

/** With what a call was answered. */
export function outcomeOf({ failure, part }: CallStepValue): ToolOutcome {
  return failure ?? { ok: true, output: part.functionResponse?.response["output"] };
}

/** A call as it is shown. */
export function showCall({ part, outcome, pending, begun, progress }: KnownCall, left: CallsLeft): ToolCallPart {
  if (outcome?.ok === true) return { ...part, state: "done", output: outcome.output ?? null };
  const mayBeDone = pending === undefined ? begun === "recorded" : pending.question === "unknown-outcome";
  const leftAs = pending === undefined ? left.open : left.asked;
  const kind = outcome?.kind ?? (leftAs !== undefined && mayBeDone ? "unknown-outcome" : leftAs);
  if (kind !== undefined) return { ...part, ...failCall(kind) };
  if (pending !== undefined) {
    const { question, token, approvedBy, editable, because } = pending;
    // The keys of that table are states.
    const state = Object.entries(QUESTION_OF).find(([, one]) => one === question)?.[0] as ToolCallState | undefined;
    const who = { ...(approvedBy !== undefined && { approvedBy }), ...(editable !== undefined && { editable }) };
    const why = because !== undefined && { because };
    if (state !== undefined) return { ...part, state, asks: { token, ...who, ...why } };
  }
  const shown = progress !== undefined && { progress: safeProgress(progress) };
  return { ...part, state: begun === undefined ? "called" : "running", ...shown };
}

/** How a call is shown that failed. */
export function failCall(kind: ToolErrorKind): Pick<ToolCallPart, "state" | "failure"> {
  const isOwn = kind === "denied" || kind === "not-run" || kind === "cancelled";
  const state: ToolCallState = kind === "withdrawn" ? "not-run" : isOwn ? kind : "failed";
  return { state, failure: { kind, message: FAILURES[kind] ?? "The call failed." } };
}

/** What anybody may read of a call that failed: a tool's own text may hold paths, queries or names of machines. */
const FAILURES: { readonly [Kind in ToolErrorKind]: string } = {
  "not-found": "There is no such tool.",
  "bad-input": "The arguments of the call were not valid.",
  failed: "The tool failed.",
  timeout: "The call took too long.",
  cancelled: "The call was cancelled before it ended.",
  denied: "The call was denied.",
  withdrawn: "The request was withdrawn.",
  "unknown-outcome": "It is unknown whether the call took effect.",
  "not-run": "The call was not run.",
};

/**
 * What a tool reports, as it is shown. An agent in a call reports the events of its run, with signatures, arguments and results: of these
 * only the kind, the turn and what is said are shown.
 */
function safeProgress(progress: unknown): unknown {
  if (!isObject(progress) || !Array.isArray(progress["path"]) || !isObject(progress["event"])) return progress;
  const { type, turn, delta } = progress["event"];
  const isSaid = type === "text-delta" || type === "thought-delta";
  return { path: progress["path"], event: { type, ...(turn !== undefined && { turn }), ...(isSaid && { delta }) } };
}
