import type { CallRoute, CallStepValue } from "../../durable/run-log.ts";
import type { Json } from "../../internal/json.ts";
import { functionResponse } from "../../tool/function-response.ts";
import { CANCELLED } from "../../tool/model-texts.ts";
import type { ChildRunResult, Tool, ToolOutcome } from "../../tool/tool.ts";
import type { FunctionCall } from "../../wire/types/content.ts";
import type { RunEvent } from "../events.ts";
import type { LoopInput } from "../loop-input.ts";

/**
 * Where a call of the open turn stands. Each state but the first and the last is one operation of a round:
 *
 * ```text
 * planned ─┬─► awaiting-approval ─► running | awaiting-output | answered
 *          ├─► awaiting-output ───► answered
 *          ├─► running ───────────► answered | interrupted
 *          │     interrupted ─────► answered | running
 *          ├─► before-hook ► child-run ► after-hook ► answered      (any of the hooks may be missing)
 *          └─► answered
 * ```
 */
export type CallState =
  /** Nobody has looked at it yet. */
  | { readonly state: "planned" }
  /** A person has to agree to it. */
  | { readonly state: "awaiting-approval" }
  /** It is run here. `attempt` is how often it was begun before, as far as anybody knows. */
  | { readonly state: "running"; readonly attempt: number }
  /** Its tool has no `run`: somebody outside carries it out. */
  | { readonly state: "awaiting-output" }
  /** The process died while it ran, and it must not run twice: somebody outside has to say whether it happened. `time` counts how often that was asked, from 1. */
  | { readonly state: "interrupted"; readonly time: number }
  /** It is a run of its own on an engine: the hook before it, the run, the hook after it. */
  | { readonly state: "before-hook" }
  | { readonly state: "child-run"; readonly agent: string; readonly input: Json }
  | { readonly state: "after-hook"; readonly ended: ChildRunResult }
  | { readonly state: "answered"; readonly value: CallStepValue };

/** A call as the model made it. */
export interface PlannedCall {
  readonly turn: number;
  /** Unique in the run, such as `call:3.0`. */
  readonly callId: string;
  readonly call: FunctionCall;
  /** The call is not to be run; the text tells the model why. */
  readonly refusal?: string | undefined;
}

/** A call of the open turn: what is to be done, and how far it has come. */
export interface TurnCall extends PlannedCall {
  current: CallState;
  /** What threw in a step of this process. */
  failure: { readonly error: unknown } | undefined;
  /** The reader knows that it began, and that it ended. */
  startReported: boolean;
  endReported: boolean;
}

/** The tool of a call that may be run. */
export function toolOf(input: LoopInput, { call, refusal }: PlannedCall): Tool | undefined {
  return refusal === undefined ? input.toolset.byName.get(call.name) : undefined;
}

/** Where a call goes by its route. */
export function routed(input: LoopInput, call: PlannedCall, route: CallRoute, now: number): CallState {
  switch (route.do) {
    case "run":
      return { state: "running", attempt: 0 };
    case "ask-approval":
      return { state: "awaiting-approval" };
    case "ask-outcome":
      return { state: "awaiting-output" };
    case "deny":
      return answered(input, call, denied(route.why), now);
  }
}

/** A call with the outcome it was given. */
export function answered(
  input: LoopInput,
  call: PlannedCall,
  outcome: ToolOutcome,
  startedAt: number,
  endedAt: number = startedAt,
): Extract<CallState, { state: "answered" }> {
  return { state: "answered", value: valueOf(input, call, outcome, startedAt, endedAt) };
}

/** What a call's step leaves for an outcome. */
export function valueOf(
  input: LoopInput,
  { call }: PlannedCall,
  outcome: ToolOutcome,
  startedAt: number,
  endedAt: number,
): CallStepValue {
  const { part, after } = functionResponse(call, outcome, {
    mediaInFunctionResponses: input.model.capabilities.mediaInFunctionResponses,
    maxResultBytes: input.toolset.byName.get(call.name)?.maxResultBytes,
  });
  return {
    part,
    after,
    failure: outcome.ok ? undefined : outcome,
    nested: [],
    durationMs: endedAt - startedAt,
    startedAt,
    endedAt,
  };
}

/** A call that was refused. */
export function denied(message: string): ToolOutcome {
  return { ok: false, kind: "denied", message };
}

/** A call that the end of its run cut off. */
export function cancelled(message: string = CANCELLED): Extract<ToolOutcome, { ok: false }> {
  return { ok: false, kind: "cancelled", message };
}

/** The event of a call that begins. */
export function toolStart({ turn, callId, call }: PlannedCall): RunEvent {
  return { type: "tool-start", turn, callId, call };
}

/** The event of a call that ended; what the model reads is what the reader sees. */
export function toolEnd({ turn, callId, call }: PlannedCall, value: CallStepValue): RunEvent {
  return { type: "tool-end", turn, callId, call, outcome: readOutcome(value), durationMs: value.durationMs };
}

/** How the call came out that left this. */
export function readOutcome({ failure, part }: CallStepValue): ToolOutcome {
  return failure ?? { ok: true, output: part.functionResponse?.response["output"] };
}
