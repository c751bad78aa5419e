import type { Op, Outcome } from "../durable/steps.ts";
import { RunStepError } from "../errors/run-errors.ts";
import { abortable } from "../internal/abortable.ts";
import type { Json } from "../internal/json.ts";
import { failureOf } from "../tool/call-tool.ts";
import type { AgentOfTool, EndedAgent, Tool } from "../tool/tool.ts";
import type { ToolOutcome } from "../tool/tool-outcome.ts";
import type { FunctionCall } from "../wire/content.ts";
import { answeredBy, type CallStepValue, type CallTask } from "./call-step.ts";
import type { RunEvent } from "./events.ts";
import type { CallDecision } from "./hooks.ts";
import type { LoopInput } from "./loop-input.ts";
import { remainingOf } from "./remaining-limits.ts";
import type { RunState } from "./run-state.ts";
import { withinWallTime } from "./wall-clock.ts";

/** What has to happen next for a call that is a run of its own: the hook before it, the run, the hook after it. */
export type ChildStage =
  | { readonly child: "decide" }
  | { readonly child: "run"; readonly agent: string; readonly input: Json }
  | { readonly child: "review"; readonly ended: EndedAgent };

/** A call with the tool and agent it is for. */
interface ChildCall {
  readonly task: CallTask;
  readonly tool: Tool;
  readonly agent: AgentOfTool;
}

/** The agent that a call runs as a run of its own, if these steps can do that. */
export function agentOf(input: LoopInput, { call, refused }: CallTask): AgentOfTool | undefined {
  const { children } = input.steps;
  const agent = refused === undefined ? input.toolset.byName.get(call.name)?.agent : undefined;
  return agent !== undefined && children?.has(agent.name) === true ? agent : undefined;
}

/** Where such a call begins. */
export async function beginChild(
  input: LoopInput,
  state: RunState,
  task: CallTask,
): Promise<ChildStage | CallStepValue> {
  if (input.hooks.beforeCall !== undefined) return { child: "decide" };
  return await beginRun(input, state, childCall(input, task), task.call);
}

/** What the outcome of such a call's operation leads to. A failed hook ends the run. */
export async function afterChild(
  input: LoopInput,
  state: RunState,
  stage: ChildStage,
  task: CallTask,
  outcome: Outcome | undefined,
): Promise<ChildStage | CallStepValue> {
  const one = childCall(input, task);
  if (stage.child === "run") return settled(input, state, task, await endedBy(one, outcome));
  if (outcome?.ok !== true) {
    const cause = outcome?.error;
    throw new RunStepError(
      `${task.callId} (${task.call.name}) failed: ${cause?.message ?? "no outcome"}`,
      task.callId,
      {
        cause,
      },
    );
  }
  // The value is what the hook step below returned, through JSON.
  const said = outcome.value as unknown as Said;
  const ended = stage.child === "review" ? stage.ended : NOTHING_DONE;
  if (said.cancelled === true) return valueOf(input, state, task, { ...ended, outcome: CANCELLED });
  if (stage.child === "review")
    return valueOf(input, state, task, { ...ended, outcome: said.outcome ?? ended.outcome });
  const { decision } = said;
  if (decision === undefined) return await beginRun(input, state, one, task.call);
  if ("args" in decision) return await beginRun(input, state, one, { ...task.call, args: decision.args });
  const given: ToolOutcome =
    "deny" in decision ? { ok: false, kind: "denied", message: decision.deny } : { ok: true, output: decision.output };
  return settled(input, state, task, { ...NOTHING_DONE, outcome: given });
}

/** The operation of such a call's stage. */
export function childOp(
  input: LoopInput,
  stage: ChildStage,
  { turn, callId, call }: CallTask,
  errors: Map<string, unknown>,
): Op<RunEvent> {
  if (stage.child === "run") return { kind: "child", name: callId, agent: stage.agent, input: stage.input };
  const { beforeCall, afterCall } = input.hooks;
  const hook = async (signal: AbortSignal): Promise<Said> => {
    const info = { turn, callId, call, signal };
    if (stage.child === "decide") return { decision: (await beforeCall?.(info)) ?? undefined };
    return { outcome: (await afterCall?.({ ...info, outcome: stage.ended.outcome })) ?? undefined };
  };
  return {
    kind: "step",
    name: childStepName(callId, stage),
    run: async (step) => {
      try {
        return await withinWallTime(input.clock, step, async ({ signal }): Promise<Said> => {
          try {
            return await abortable(hook(signal), signal);
          } catch (error) {
            // The wall time cut it off; the limit ends the run before its next request.
            if (signal.aborted && !step.signal.aborted) return { cancelled: true };
            throw error;
          }
        });
      } catch (error) {
        errors.set(callId, error);
        throw error;
      }
    },
  };
}

/** Name of the operation of such a call's stage. The run itself has the name of the call. */
export function childStepName(callId: string, { child }: ChildStage): string {
  return child === "run" ? callId : `${callId}/${child === "decide" ? "before" : "after"}`;
}

/** What a hook's step leaves. */
interface Said {
  readonly decision?: Exclude<CallDecision, void> | undefined;
  readonly outcome?: ToolOutcome | undefined;
  /** The wall time cut the hook off. */
  readonly cancelled?: true | undefined;
}

const CANCELLED: ToolOutcome = { ok: false, kind: "cancelled", message: "cancelled: the run was ended" };
const NOTHING_DONE: EndedAgent = { outcome: CANCELLED, nested: [], activeMs: 0 };

function childCall(input: LoopInput, task: CallTask): ChildCall {
  const tool = input.toolset.byName.get(task.call.name);
  const agent = tool?.agent;
  if (tool === undefined || agent === undefined) throw new RangeError(`${task.callId} is no call of an agent`);
  return { task, tool, agent };
}

async function beginRun(
  input: LoopInput,
  state: RunState,
  { task, tool, agent }: ChildCall,
  call: FunctionCall,
): Promise<ChildStage | CallStepValue> {
  // From what is recorded, not from a clock: it has to be the same when the run is run again.
  const caller = { remaining: remainingOf(input, state.spent()), prices: input.prices };
  try {
    return { child: "run", agent: agent.name, input: await agent.start(call.args ?? {}, caller) };
  } catch (error) {
    return settled(input, state, task, { ...NOTHING_DONE, outcome: failureOf(tool, error) });
  }
}

async function endedBy({ tool, agent }: ChildCall, outcome: Outcome | undefined): Promise<EndedAgent> {
  if (outcome?.ok === true) return await agent.ended(outcome.value);
  return { ...NOTHING_DONE, outcome: failureOf(tool, new Error(outcome?.error.message ?? "it left no report")) };
}

function settled(input: LoopInput, state: RunState, task: CallTask, ended: EndedAgent): ChildStage | CallStepValue {
  return input.hooks.afterCall === undefined ? valueOf(input, state, task, ended) : { child: "review", ended };
}

function valueOf(input: LoopInput, state: RunState, task: CallTask, ended: EndedAgent): CallStepValue {
  const { outcome, nested, activeMs } = ended;
  return { ...answeredBy(input, task, outcome, state.endedAt, state.endedAt + activeMs), nested };
}
