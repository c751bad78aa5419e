import type { Outcome, Step } from "../../durable/steps.ts";
import { ToolError } from "../../errors/run-errors.ts";
import { describeFailure, failure } from "../../tool/call-failure.ts";
import { agentFailures, CANCELLED, toolFailed } from "../../tool/model-texts.ts";
import { usualRead } from "../../tool/reads.ts";
import type { ChildAgent, ChildRunResult, ParentRun, Tool, ToolOutcome } from "../../tool/tool.ts";
import type { JsonObject } from "../../wire/types/content.ts";
import type { RunEvent } from "../events.ts";
import { remainingLimits } from "../limits.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import type { AnsweredState, CallState, ChildState, TurnCall } from "./call-state.ts";
import { askAfter, askBefore, type Decision, readDecision } from "./call-hooks.ts";
import { answered, callFailed, isResult } from "./run-call.ts";

/** A call of an agent that is a separate run here, as on an engine. Elsewhere the agent runs inside the call: see `RunState.addNested`. */
interface ChildCall extends TurnCall {
  readonly tool: Tool & { readonly agent: ChildAgent };
}

function isChildCall({ steps }: LoopInput, call: TurnCall): call is ChildCall {
  const agent = call.tool?.agent;
  return agent !== undefined && call.isInvalid !== true && steps.children?.has(agent.name) === true;
}

/** The first state of a call that becomes a separate run; `undefined` for any other call. */
export async function beginChild(input: LoopInput, state: RunState, call: TurnCall): Promise<CallState | undefined> {
  if (!isChildCall(input, call)) return undefined;
  return input.hooks.beforeCall === undefined ? await startChild(input, state, call) : { state: "before-hook" };
}

/** The state of such a call after its operation. A failed hook ends the run. */
export async function afterChild(
  input: LoopInput,
  state: RunState,
  call: TurnCall,
  current: ChildState,
  outcome: Outcome | undefined,
): Promise<CallState> {
  if (!isChildCall(input, call)) throw new RangeError(`${call.callId} is not a call of an agent`);
  if (current.state === "child-run") {
    const { tool } = call;
    const ended =
      outcome?.ok === true
        ? await tool.agent.finish(outcome.value)
        : notStarted(describeFailure(tool, reportMissing(tool, outcome)));
    return settled(input, state, call, ended);
  }
  if (outcome?.ok !== true) throw callFailed(call, outcome);
  // What runHook returned, through JSON.
  const hook = outcome.value as unknown as HookStepValue;
  const cancelled = hook.cancelled === true ? failure("cancelled", CANCELLED) : undefined;
  if (current.state === "after-hook") {
    const { ended } = current;
    return childAnswered(input, state, call, { ...ended, outcome: cancelled ?? hook.outcome ?? ended.outcome });
  }
  if (cancelled !== undefined) return childAnswered(input, state, call, notStarted(cancelled));
  const { outcome: decided, args } = readDecision(hook.decision);
  if (decided !== undefined) return settled(input, state, call, notStarted(decided));
  return await startChild(input, state, call, args);
}

/** The engine's own error may be exposed; the model always reads that there is no report. */
function reportMissing({ name }: Tool, outcome: Outcome | undefined): Error {
  if (outcome?.ok === false) return new Error(outcome.error.message);
  return new ToolError(toolFailed(name, agentFailures.noReport));
}

interface HookStepValue {
  readonly decision?: Decision;
  readonly outcome?: ToolOutcome | undefined;
  /** The wall time aborted the hook. */
  readonly cancelled?: true | undefined;
}

/** Runs the hook before or after such a call. @param timed - The step, whose signal also aborts when the wall time is up. */
export async function runHook(
  input: LoopInput,
  call: TurnCall,
  current: Exclude<ChildState, { state: "child-run" }>,
  step: Step<RunEvent>,
  { signal }: Step<RunEvent>,
): Promise<HookStepValue> {
  try {
    return current.state === "before-hook"
      ? { decision: await askBefore(input, call, signal) }
      : { outcome: await askAfter(input, call, signal, current.ended.outcome) };
  } catch (error) {
    // Aborted by the wall time: the limit ends the run before its next request.
    if (signal.aborted && !step.signal.aborted) return { cancelled: true };
    throw error;
  }
}

async function startChild(
  input: LoopInput,
  state: RunState,
  call: ChildCall,
  args: JsonObject = call.call.args ?? {},
): Promise<CallState> {
  const { callId, tool } = call;
  const { prices } = input;
  const { runId, traceparent } = state;
  const parent: ParentRun = {
    // From what is recorded, not from a clock or this process: a replay must give the same.
    step: { runId, step: callId, callId, ...(traceparent !== undefined && { traceparent }) },
    remaining: remainingLimits(input, state.spent()),
    prices: typeof prices === "function" ? (model) => prices(model, new Date(state.endedAt)) : prices,
    metadata: input.identity.metadata,
    read: [...state.read],
  };
  try {
    return { state: "child-run", agent: tool.agent.name, input: await tool.agent.start(args, parent) };
  } catch (error) {
    return settled(input, state, call, notStarted(describeFailure(tool, error)));
  }
}

function notStarted(outcome: ToolOutcome): ChildRunResult {
  return { outcome, nested: [], activeMs: 0 };
}

function settled(input: LoopInput, state: RunState, call: ChildCall, ended: ChildRunResult): CallState {
  return input.hooks.afterCall === undefined
    ? childAnswered(input, state, call, ended)
    : { state: "after-hook", ended };
}

function childAnswered(
  input: LoopInput,
  state: RunState,
  call: ChildCall,
  { outcome, nested, activeMs }: ChildRunResult,
): AnsweredState {
  const hasRun = nested.length > 0;
  // A run reports what it has read, unless its author declares it; a hook's output has no run behind it.
  const isUsual = call.tool.readsNested === true ? outcome.ok && !hasRun : outcome.ok || hasRun;
  const read = isUsual && isResult(outcome) && usualRead(call.tool);
  const { value } = answered(input, state, call, outcome, activeMs);
  return { state: "answered", value: { ...value, ...read, nested } };
}
