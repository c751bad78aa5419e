import { type Outcome, type Step, VALUE_TOO_LARGE } from "../../durable/steps.ts";
import { type CallStepValue, callStepName } from "../../durable/run-log.ts";
import { RunStepError } from "../../errors/run-errors.ts";
import { abortable } from "../../internal/abort.ts";
import { callTool } from "../../tool/call-tool.ts";
import { CANCELLED, INTERRUPTED, OUTCOME_UNKNOWN } from "../../tool/model-texts.ts";
import type { NestedRun, ParentRun, ToolContext, ToolOutcome } from "../../tool/tool.ts";
import type { RunEvent } from "../events.ts";
import { remainingLimits } from "../limits.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import {
  answered,
  type CallState,
  cancelled,
  type PlannedCall,
  toolEnd,
  toolStart,
  valueOf,
  type TurnCall,
} from "./call-state.ts";

/** Runs one call with its hooks and gives what its step leaves. Rejects only when a hook throws. */
export async function runCall(
  input: LoopInput,
  state: RunState,
  planned: TurnCall,
  step: Step<RunEvent>,
): Promise<CallStepValue> {
  const { callId, call, refusal } = planned;
  const startedAt = input.now();
  const tool = input.toolset.byName.get(call.name);
  const interrupted = tool?.effects === "once" && step.attempt > 1 && refusal === undefined;
  const asks = interrupted && tool.unknownOutcome === "ask";
  const isWatched = input.emit !== undefined && !asks;
  if (isWatched) {
    planned.startReported = true;
    await step.emit(toolStart(planned));
  }

  const nested: NestedRun[] = [];
  const run: Pick<ToolContext, "attach" | "parent"> = {
    attach: (one) => {
      nested.push(one);
      state.unsettled.push(one);
    },
    parent: parentRunOf(input, state, planned, startedAt),
  };
  const { beforeCall, afterCall } = input.hooks;
  let outcome: ToolOutcome;
  if (refusal !== undefined) outcome = { ok: false, kind: "not-run", message: refusal };
  else if (interrupted) outcome = { ok: false, kind: "unknown-outcome", message: INTERRUPTED };
  else if (beforeCall === undefined && afterCall === undefined)
    outcome = await callTool(input.toolset.byName, call, contextOf(input, planned, step, run));
  else outcome = await runWithHooks(input, planned, step, run);
  // What an abort cut off has no outcome: a resumed run makes the call again, or asks.
  if (!outcome.ok && outcome.kind === "cancelled" && input.signal.aborted) throw input.signal.reason;
  const value: CallStepValue = {
    ...valueOf(input, planned, outcome, startedAt, input.now()),
    nested,
    ...(asks && { unknown: true }),
  };
  input.logger.debug({ callId, tool: call.name, ok: outcome.ok, ms: value.durationMs }, "tool call");
  if (isWatched) {
    planned.endReported = true;
    await step.emit(toolEnd(planned, value));
  }
  return value;
}

/** What the outcome of a call's step leads to. A step fails only when a hook threw, here or where it ran; that ends the run. */
export function afterRun(
  input: LoopInput,
  state: RunState,
  call: PlannedCall,
  attempt: number,
  outcome: Outcome | undefined,
): CallState {
  if (outcome?.ok === true) {
    // The value is what runCall returned, through JSON.
    const value = outcome.value as unknown as CallStepValue;
    return value.unknown === true ? { state: "interrupted", time: attempt + 1 } : { state: "answered", value };
  }
  const cause = outcome?.error;
  // It was done, but what it left cannot be kept: the model has to ask for less.
  if (cause?.code === VALUE_TOO_LARGE)
    return answered(input, call, { ok: false, kind: "failed", message: cause.message }, state.endedAt);
  throw callFailed(call, outcome);
}

/** A call that failed because the application's own code did. */
export function callFailed({ callId, call }: PlannedCall, outcome: Outcome | undefined): RunStepError {
  const cause = outcome?.ok === false ? outcome.error : undefined;
  return new RunStepError(`${callId} (${call.name}) failed: ${cause?.message ?? "no outcome"}`, callId, { cause });
}

/** The answer of a call that may have happened when the run ended: a model that is told less would call it again. */
export function cutOff(input: LoopInput, state: RunState, call: PlannedCall): CallState {
  return answered(input, call, cancelled(`${CANCELLED}; ${OUTCOME_UNKNOWN}`), state.endedAt);
}

async function runWithHooks(
  input: LoopInput,
  planned: PlannedCall,
  step: Step<RunEvent>,
  run: Pick<ToolContext, "attach" | "parent">,
): Promise<ToolOutcome> {
  const { turn, callId, call } = planned;
  const { signal } = step;
  const { beforeCall, afterCall } = input.hooks;
  const info = { turn, callId, call, signal };
  try {
    const decision = beforeCall === undefined ? undefined : await abortable(Promise.resolve(beforeCall(info)), signal);
    const outcome = await carryOut(decision);
    if (afterCall === undefined) return outcome;
    return (await abortable(Promise.resolve(afterCall({ ...info, outcome })), signal)) ?? outcome;
  } catch (error) {
    // A hook was cut off by the abort; the loop reports the abort itself.
    if (signal.aborted) return cancelled();
    throw error;
  }

  function carryOut(decision: Awaited<ReturnType<NonNullable<typeof beforeCall>>>): ToolOutcome | Promise<ToolOutcome> {
    if (decision !== undefined && "deny" in decision) return { ok: false, kind: "denied", message: decision.deny };
    if (decision !== undefined && "output" in decision) return { ok: true, output: decision.output };
    const changed = decision === undefined ? planned : { ...planned, call: { ...call, args: decision.args } };
    return callTool(input.toolset.byName, changed.call, contextOf(input, changed, step, run));
  }
}

function contextOf(
  input: LoopInput,
  { turn, callId, call }: PlannedCall,
  step: Step<RunEvent>,
  run: Pick<ToolContext, "attach" | "parent">,
): ToolContext {
  const { runId } = input.steps;
  return {
    signal: step.signal,
    callId,
    call,
    // Not the step's own key, which differs when a call that never happened is run again.
    idempotencyKey: `${runId}/${callId}`,
    runId,
    turn,
    logger: input.logger,
    progress: async (progress) => {
      if (input.emit !== undefined) await step.emit({ type: "tool-progress", turn, callId, progress });
    },
    ...run,
  };
}

/** What a run inside a call gets of the one that made the call. */
function parentRunOf(input: LoopInput, state: RunState, { callId, current }: TurnCall, startedAt: number): ParentRun {
  const attempt = current.state === "running" ? current.attempt : 0;
  return {
    step: { runId: state.runId, step: callStepName(callId, attempt), callId },
    get remaining() {
      return remainingLimits(input, state.spentInside(input.now() - startedAt));
    },
    prices: input.prices,
    approve: input.approve,
  };
}
