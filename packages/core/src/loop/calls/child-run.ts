import { hookStepName } from "../../durable/run-log.ts";
import type { Op, Outcome } from "../../durable/steps.ts";
import { abortable } from "../../internal/abort.ts";
import { describeFailure } from "../../tool/call-tool.ts";
import { agentFailures } from "../../tool/model-texts.ts";
import type { ChildAgent, ChildRunResult, ParentRun, Tool, ToolOutcome } from "../../tool/tool.ts";
import type { FunctionCall } from "../../wire/types/content.ts";
import type { RunEvent } from "../events.ts";
import type { CallDecision, LoopInput } from "../loop-input.ts";
import { remainingLimits } from "../limits.ts";
import type { RunState } from "../run-state.ts";
import { executeStep } from "../single-step.ts";
import { answered, type CallState, cancelled, denied, type PlannedCall, toolOf, type TurnCall } from "./call-state.ts";
import { callFailed } from "./run-call.ts";

/** The states of a call that is a run of its own. */
export type ChildState = Extract<CallState, { state: "before-hook" | "child-run" | "after-hook" }>;

/** True for a call that is a run of its own. */
export function isChild(current: CallState): current is ChildState {
  return current.state === "before-hook" || current.state === "child-run" || current.state === "after-hook";
}

/** A tool that runs an agent as a run of its own. */
interface ChildTool {
  readonly tool: Tool;
  readonly agent: ChildAgent;
}

/** The tool of a call that becomes a run of its own, if these steps can make one. */
function childToolOf(input: LoopInput, call: PlannedCall): ChildTool | undefined {
  const tool = toolOf(input, call);
  const agent = tool?.agent;
  if (tool === undefined || agent === undefined) return undefined;
  return input.steps.children?.has(agent.name) === true ? { tool, agent } : undefined;
}

/** Where a call that is about to run begins as a run of its own; `undefined` when it is none. */
export async function beginChild(
  input: LoopInput,
  state: RunState,
  call: PlannedCall,
): Promise<ChildState | Extract<CallState, { state: "answered" }> | undefined> {
  const child = childToolOf(input, call);
  if (child === undefined) return undefined;
  if (input.hooks.beforeCall !== undefined) return { state: "before-hook" };
  return await startChild(input, state, child, call, call.call);
}

/** What the outcome of such a call's operation leads to. A failed hook ends the run. */
export async function afterChild(
  input: LoopInput,
  state: RunState,
  call: PlannedCall,
  current: ChildState,
  outcome: Outcome | undefined,
): Promise<CallState> {
  const child = childToolOf(input, call);
  if (child === undefined) throw new RangeError(`${call.callId} is no call of an agent`);
  if (current.state === "child-run") return settled(input, state, call, await endedBy(child, outcome));
  if (outcome?.ok !== true) throw callFailed(call, outcome);
  // The value is what the hook's step returned, through JSON.
  const left = outcome.value as unknown as HookStepValue;
  if (current.state === "after-hook") {
    const { ended } = current;
    const given = left.cancelled === true ? cancelled() : (left.outcome ?? ended.outcome);
    return childAnswered(input, state, call, { ...ended, outcome: given });
  }
  if (left.cancelled === true) return childAnswered(input, state, call, NOTHING_DONE);
  const { decision } = left;
  if (decision === undefined) return await startChild(input, state, child, call, call.call);
  if ("args" in decision) return await startChild(input, state, child, call, { ...call.call, args: decision.args });
  const outcomeGiven: ToolOutcome = "deny" in decision ? denied(decision.deny) : { ok: true, output: decision.output };
  return settled(input, state, call, { ...NOTHING_DONE, outcome: outcomeGiven });
}

/** The operation of such a call's state. */
export function childOp(input: LoopInput, planned: TurnCall, current: ChildState): Op<RunEvent> {
  const { turn, callId, call } = planned;
  if (current.state === "child-run") return { kind: "child", name: callId, agent: current.agent, input: current.input };
  const hook = async (signal: AbortSignal): Promise<HookStepValue> => {
    const info = { turn, callId, call, signal };
    const { beforeCall, afterCall } = input.hooks;
    if (current.state === "before-hook") return { decision: (await beforeCall?.(info)) ?? undefined };
    return { outcome: (await afterCall?.({ ...info, outcome: current.ended.outcome })) ?? undefined };
  };
  const name = hookStepName(callId, current.state === "before-hook" ? "before" : "after");
  return {
    kind: "step",
    name,
    run: async (step) => {
      try {
        return await executeStep(input, name, step, async ({ signal }): Promise<HookStepValue> => {
          try {
            return await abortable(hook(signal), signal);
          } catch (error) {
            // The wall time cut it off; the limit ends the run before its next request.
            if (signal.aborted && !step.signal.aborted) return { cancelled: true };
            throw error;
          }
        });
      } catch (error) {
        planned.failure = { error };
        throw error;
      }
    },
  };
}

interface HookStepValue {
  readonly decision?: Exclude<CallDecision, void> | undefined;
  readonly outcome?: ToolOutcome | undefined;
  /** The wall time cut the hook off. */
  readonly cancelled?: true | undefined;
}

const NOTHING_DONE: ChildRunResult = { outcome: cancelled(), nested: [], activeMs: 0 };

async function startChild(
  input: LoopInput,
  state: RunState,
  { tool, agent }: ChildTool,
  planned: PlannedCall,
  call: FunctionCall,
): Promise<ChildState | Extract<CallState, { state: "answered" }>> {
  // From what is recorded, not from a clock: it has to be the same when the run is run again.
  const { callId } = planned;
  const parent: ParentRun = {
    step: { runId: state.runId, step: callId, callId },
    remaining: remainingLimits(input, state.spent()),
    prices: input.prices,
  };
  try {
    return { state: "child-run", agent: agent.name, input: await agent.start(call.args ?? {}, parent) };
  } catch (error) {
    return settled(input, state, planned, { ...NOTHING_DONE, outcome: describeFailure(tool, error) });
  }
}

async function endedBy({ tool, agent }: ChildTool, outcome: Outcome | undefined): Promise<ChildRunResult> {
  if (outcome?.ok === true) return await agent.finish(outcome.value);
  return {
    ...NOTHING_DONE,
    outcome: describeFailure(tool, new Error(outcome?.error.message ?? agentFailures.noReport)),
  };
}

function settled(
  input: LoopInput,
  state: RunState,
  call: PlannedCall,
  ended: ChildRunResult,
): ChildState | Extract<CallState, { state: "answered" }> {
  if (input.hooks.afterCall !== undefined) return { state: "after-hook", ended };
  return childAnswered(input, state, call, ended);
}

function childAnswered(
  input: LoopInput,
  state: RunState,
  call: PlannedCall,
  { outcome, nested, activeMs }: ChildRunResult,
): Extract<CallState, { state: "answered" }> {
  const { value } = answered(input, call, outcome, state.endedAt, state.endedAt + activeMs);
  return { state: "answered", value: { ...value, nested } };
}
