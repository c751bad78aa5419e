import type { Outcome, Step } from "../../durable/steps.ts";
import { ToolFailure } from "../../errors/run-errors.ts";
import { abortable } from "../../internal/abort.ts";
import { describeFailure } from "../../tool/call-failure.ts";
import { agentFailures, toolFailed } from "../../tool/model-texts.ts";
import type { ChildAgent, ChildRunResult, ParentRun, Tool, ToolOutcome } from "../../tool/tool.ts";
import type { FunctionCall } from "../../wire/types/content.ts";
import type { RunEvent } from "../events.ts";
import { remainingLimits } from "../limits.ts";
import type { CallDecision, LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import type { AnsweredState, CallState, ChildState, PlannedCall } from "./call-state.ts";
import { checkDecision, checkReplaced } from "./hook-answers.ts";
import { answered, callFailed, cancelled, denied } from "./run-call.ts";

/** A tool that runs an agent as a separate run. */
interface ChildTool {
  readonly tool: Tool;
  readonly agent: ChildAgent;
}

function childToolOf({ steps }: LoopInput, { tool }: PlannedCall): ChildTool | undefined {
  const agent = tool?.agent;
  if (tool === undefined || agent === undefined) return undefined;
  return steps.children?.has(agent.name) === true ? { tool, agent } : undefined;
}

/** The first state of a call that becomes a separate run; `undefined` for any other call. */
export async function beginChild(
  input: LoopInput,
  state: RunState,
  call: PlannedCall,
): Promise<ChildState | AnsweredState | undefined> {
  const child = childToolOf(input, call);
  if (child === undefined) return undefined;
  if (input.hooks.beforeCall !== undefined) return { state: "before-hook" };
  return await startChild(input, state, child, call, call.call);
}

/** The state of such a call after its operation. A failed hook ends the run. */
export async function afterChild(
  input: LoopInput,
  state: RunState,
  call: PlannedCall,
  current: ChildState,
  outcome: Outcome | undefined,
): Promise<CallState> {
  const child = childToolOf(input, call);
  if (child === undefined) throw new RangeError(`${call.callId} is not a call of an agent`);
  if (current.state === "child-run") {
    const ended =
      outcome?.ok === true
        ? await child.agent.finish(outcome.value)
        : notStarted(describeFailure(child.tool, reportMissing(child.tool, outcome)));
    return settled(input, state, call, ended);
  }
  if (outcome?.ok !== true) throw callFailed(call, outcome);
  // What runHook returned, through JSON.
  const hook = outcome.value as unknown as HookStepValue;
  if (current.state === "after-hook") {
    const { ended } = current;
    const given = hook.cancelled === true ? cancelled() : (hook.outcome ?? ended.outcome);
    return childAnswered(input, state, call, { ...ended, outcome: given });
  }
  if (hook.cancelled === true) return childAnswered(input, state, call, notStarted(cancelled()));
  const { decision } = hook;
  if (decision === undefined) return await startChild(input, state, child, call, call.call);
  if ("args" in decision) return await startChild(input, state, child, call, { ...call.call, args: decision.args });
  const given: ToolOutcome = "deny" in decision ? denied(decision.deny) : { ok: true, output: decision.output };
  return settled(input, state, call, notStarted(given));
}

/** The engine's own error may be exposed; that there is no report is for the model in any case. */
function reportMissing({ name }: Tool, outcome: Outcome | undefined): Error {
  if (outcome?.ok === false) return new Error(outcome.error.message);
  return new ToolFailure(toolFailed(name, agentFailures.noReport));
}

/** What the step of a hook around such a call records. */
interface HookStepValue {
  readonly decision?: Exclude<CallDecision, void> | undefined;
  readonly outcome?: ToolOutcome | undefined;
  /** The wall time aborted the hook. */
  readonly cancelled?: true | undefined;
}

/**
 * Runs the hook before or after such a call.
 *
 * @param timed - The step, whose signal also aborts when the wall time is up.
 */
export async function runHook(
  { hooks, identity, context }: LoopInput,
  { turn, callId, call }: PlannedCall,
  current: Exclude<ChildState, { state: "child-run" }>,
  step: Step<RunEvent>,
  timed: Step<RunEvent>,
): Promise<HookStepValue> {
  const { signal } = timed;
  const info = { ...identity, context, turn, callId, call, signal };
  const hook = async (): Promise<HookStepValue> =>
    current.state === "before-hook"
      ? { decision: checkDecision(await hooks.beforeCall?.(info)) }
      : { outcome: checkReplaced(await hooks.afterCall?.({ ...info, outcome: current.ended.outcome })) };
  try {
    return await abortable(hook(), signal);
  } catch (error) {
    // Aborted by the wall time: the limit ends the run before its next request.
    if (signal.aborted && !step.signal.aborted) return { cancelled: true };
    throw error;
  }
}

async function startChild(
  input: LoopInput,
  state: RunState,
  { tool, agent }: ChildTool,
  planned: PlannedCall,
  call: FunctionCall,
): Promise<ChildState | AnsweredState> {
  const { callId } = planned;
  const { prices } = input;
  const parent: ParentRun = {
    // From what is recorded, not from a clock or this process: a replay must give the same.
    step: {
      runId: state.runId,
      step: callId,
      callId,
      ...(state.traceparent !== undefined && { traceparent: state.traceparent }),
    },
    remaining: remainingLimits(input, state.spent()),
    prices: typeof prices === "function" ? (model) => prices(model, new Date(state.endedAt)) : prices,
    metadata: input.identity.metadata,
  };
  try {
    return { state: "child-run", agent: agent.name, input: await agent.start(call.args ?? {}, parent) };
  } catch (error) {
    return settled(input, state, planned, notStarted(describeFailure(tool, error)));
  }
}

function notStarted(outcome: ToolOutcome): ChildRunResult {
  return { outcome, nested: [], activeMs: 0 };
}

function settled(
  input: LoopInput,
  state: RunState,
  call: PlannedCall,
  ended: ChildRunResult,
): ChildState | AnsweredState {
  if (input.hooks.afterCall !== undefined) return { state: "after-hook", ended };
  return childAnswered(input, state, call, ended);
}

function childAnswered(
  input: LoopInput,
  state: RunState,
  call: PlannedCall,
  { outcome, nested, activeMs }: ChildRunResult,
): AnsweredState {
  const { value } = answered(input, call, outcome, state.endedAt, state.endedAt + activeMs);
  return { state: "answered", value: { ...value, nested } };
}
