import type { CallStepValue } from "../../durable/run-log.ts";
import type { Json } from "../../internal/json.ts";
import type { CallControl } from "../../tool/call-tool.ts";
import type { AskedBefore } from "../../tool/job.ts";
import { type AskedOf, buildPendingCall } from "../../tool/pending-call.ts";
import type { ChildRunResult, PendingCall, PendingQuestion, Tool, ToolOutcome } from "../../tool/tool.ts";
import type { FunctionCall, JsonObject } from "../../wire/types/content.ts";
import type { RunEvent } from "../events.ts";

/**
 * The state of a call of the open turn. Each state but `edited` and the last is one operation of a round:
 *
 * ```text
 * call ─┬─► running ───────────► answered | interrupted | awaiting-job
 *       │     interrupted ─────► answered | running
 *       │     awaiting-job ────► answered | cancelling-job | edited
 *       │     cancelling-job ──► answered
 *       ├─► awaiting-approval ─► running | awaiting-output | edited | answered
 *       │     edited ──────────► running | awaiting-output | awaiting-approval
 *       ├─► awaiting-output ───► answered | running
 *       ├─► before-hook ► child-run ► after-hook ► answered      (either hook may be missing)
 *       └─► answered
 * ```
 */
export type CallState =
  /** It runs here. `attempt` counts the earlier attempts that are known. */
  | { readonly state: "running"; readonly attempt: number }
  /** A person must approve it. `time` counts these questions, from 1. */
  | { readonly state: "awaiting-approval"; readonly time: number }
  /** Its arguments were changed: between two rounds, the loop decides whether a person must approve them. `asks`: its job changed them, so one must. */
  | { readonly state: "edited"; readonly time: number; readonly asks?: true | undefined }
  /** Its tool has no `run`: its output comes from outside. */
  | { readonly state: "awaiting-output"; readonly time: 1 }
  /** The process died during a call that must not run twice: somebody must decide whether it happened. `time` counts these questions, from 1. */
  | { readonly state: "interrupted"; readonly time: number }
  /** It has started a job, whose outcome comes from outside. */
  | { readonly state: "awaiting-job"; readonly time: number; readonly attempt: number }
  /** Nobody waits for its job anymore: the job is cancelled, then the call has this outcome. */
  | { readonly state: "cancelling-job"; readonly outcome: ToolOutcome }
  /** It is a separate run on an engine, with a hook before and after it. */
  | { readonly state: "before-hook" }
  | { readonly state: "child-run"; readonly agent: string; readonly input: Json }
  | { readonly state: "after-hook"; readonly ended: ChildRunResult }
  | AnsweredState;

/** The call has its answer. */
export type AnsweredState = { readonly state: "answered"; readonly value: CallStepValue };

/** The states of a call that is a separate run. */
export type ChildState = Extract<CallState, { state: "before-hook" | "child-run" | "after-hook" }>;

/** The states of a call that waits for an answer from outside. */
export type AwaitingState = Extract<
  CallState,
  { state: "awaiting-approval" | "awaiting-output" | "interrupted" | "awaiting-job" }
>;

/** The question that each of these states waits for. */
export const QUESTIONS: { readonly [State in AwaitingState["state"]]: PendingQuestion } = {
  "awaiting-approval": "approval",
  "awaiting-output": "outcome",
  interrupted: "unknown-outcome",
  "awaiting-job": "job",
};

/** True for a call that waits for an answer from outside. */
export function isAwaiting(current: CallState): current is AwaitingState {
  return Object.hasOwn(QUESTIONS, current.state);
}

/** A call of the open turn and its progress. */
export interface TurnCall extends CallControl {
  readonly turn: number;
  /** Unique in the run, such as `call:3.0`. */
  readonly callId: string;
  /** As the model meant it, or as a person changed it. */
  call: FunctionCall;
  /** The name in the contents, if it is another one. */
  readonly via?: string | undefined;
  /** A person changed its arguments when approving it. */
  edited?: true | undefined;
  /** Its arguments were invalid when the loop decided whether to ask about it: they count as invalid even if a hook changes them. */
  isInvalid?: true | undefined;
  /** What its tool declared about the answers to its question, if it has asked one. */
  asked?: AskedOf | undefined;
  /** The job that asked a person about its arguments. */
  before?: AskedBefore | undefined;
  /** The attempt that starts the next job. */
  next?: number | undefined;
  /** Number of its last question about arguments, from 1; absent if it has asked none. */
  time?: number | undefined;
  /** Absent when there is no such tool, or the call is refused. */
  readonly tool?: Tool | undefined;
  /** Why the call must not run, for the model. */
  readonly refusal?: string | undefined;
  /** A journal has its outcome, or the beginning of its effect: whether it may run is not decided again. */
  readonly recorded?: "outcome" | "begun" | undefined;
  /** Bytes of its result, once it is made, if it has media. */
  responseBytes?: number | undefined;
  current: CallState;
  /** What its step threw in this process. */
  failure?: { readonly error: unknown } | undefined;
  /** Its step was executed in this process. */
  executed?: boolean | undefined;
  /** Its step was answered by a journal. */
  fromJournal?: boolean | undefined;
  /** Its tool was run in this process. */
  begun?: boolean | undefined;
  /** Its question has been emitted in this state. */
  asksFor?: CallState | undefined;
  /** Its `tool-end` has been emitted. */
  endReported?: boolean | undefined;
}

/** Gives a call the arguments that a person approved instead of the model's. */
export function editCall(call: Pick<TurnCall, "call" | "edited">, args: JsonObject): void {
  call.call = { ...call.call, args };
  call.edited = true;
}

/** The question of a call that waits for an answer from outside. */
export function questionOf({ current, asked, ...call }: TurnCall, runId: string): PendingCall | undefined {
  if (!isAwaiting(current)) return undefined;
  return buildPendingCall(runId, { ...call, question: QUESTIONS[current.state] }, asked, current.time);
}

/** The outcome that a call's step recorded, as the model reads it. */
export function readOutcome({ failure: failed, part, shortened }: CallStepValue): ToolEndOutcome {
  if (failed !== undefined) return failed;
  const output = part.functionResponse?.response["output"];
  // Only a text is shortened.
  return shortened === true ? { ok: true, output: output as string, shortened } : { ok: true, output };
}

type ToolEndOutcome = Extract<RunEvent, { readonly type: "tool-end" }>["outcome"];
