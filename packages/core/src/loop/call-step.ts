import type { Step } from "../durable/steps.ts";
import { abortable } from "../internal/abortable.ts";
import type { Caller } from "../tool/caller.ts";
import { callTool } from "../tool/call-tool.ts";
import { functionResponse } from "../tool/function-response.ts";
import type { NestedRun, Tool, ToolContext } from "../tool/tool.ts";
import type { ToolOutcome } from "../tool/tool-outcome.ts";
import type { FunctionCall, Part } from "../wire/content.ts";
import type { RunEvent } from "./events.ts";
import type { LoopInput } from "./loop-input.ts";
import { remainingOf } from "./remaining-limits.ts";
import type { RunState } from "./run-state.ts";

/** What a call step leaves in the journal. */
export interface CallStepValue {
  /** The function response that answers the call. */
  readonly part: Part;
  /** Media that has to follow in a content of its own. */
  readonly after: readonly Part[];
  /** Why the call failed; absent when it did not. */
  readonly failure?: Extract<ToolOutcome, { ok: false }> | undefined;
  /** Nobody knows whether it happened: somebody outside has to say. The part is not the answer then. */
  readonly unknown?: true | undefined;
  /** Runs made inside the call. */
  readonly nested: readonly NestedRun[];
  readonly durationMs: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** One call of a turn. */
export interface CallTask {
  readonly turn: number;
  readonly callId: string;
  readonly call: FunctionCall;
  /** The call is not to be run; the text tells the model why. */
  readonly refused?: string | undefined;
}

/** Runs one call with its hooks and gives back what the model will read. Rejects only when a hook throws. */
export async function callStep(
  input: LoopInput,
  state: RunState,
  task: CallTask,
  step: Step<RunEvent>,
): Promise<CallStepValue> {
  const { turn, callId, call, refused } = task;
  const startedAt = input.now();
  const live = input.live !== undefined;
  const tool = input.toolset.byName.get(call.name);
  const lost = tool?.effects === "once" && step.attempt > 1 && refused === undefined;
  const asks = lost && tool.unknownOutcome === "ask";
  if (live && !asks) await step.emit({ type: "tool-start", turn, callId, call });

  const nested: NestedRun[] = [];
  const outcome: ToolOutcome = lost
    ? { ok: false, kind: "unknown-outcome", message: UNKNOWN }
    : await decide(input, task, step, {
        attach: (run) => {
          nested.push(run);
          state.unsettled.push(run);
        },
        caller: callerOf(input, state, startedAt),
      });
  // What an abort cut off has no outcome: a resumed run makes the call again, or asks.
  if (!outcome.ok && outcome.kind === "cancelled" && input.signal.aborted) throw input.signal.reason;
  const value: CallStepValue = {
    ...answeredBy(input, task, outcome, startedAt, input.now()),
    nested,
    ...(asks && { unknown: true }),
  };
  input.logger.debug({ callId, tool: call.name, ok: outcome.ok, ms: value.durationMs }, "tool call");
  if (live && !asks) await step.emit(toolEnd(task, value));
  return value;
}

const UNKNOWN =
  "it is not known whether this call was carried out: the process ended while it ran. Find out before you make it again";

/** A call with the outcome it was given. */
export function answeredBy(
  input: LoopInput,
  { call }: CallTask,
  outcome: ToolOutcome,
  startedAt: number,
  endedAt: number = startedAt,
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

/** The event of a call that begins. */
export function toolStart({ turn, callId, call }: CallTask): RunEvent {
  return { type: "tool-start", turn, callId, call };
}

/** The event of a finished call; what the model reads is what the reader sees. */
export function toolEnd({ turn, callId, call }: CallTask, value: CallStepValue): RunEvent {
  const outcome: ToolOutcome = value.failure ?? { ok: true, output: value.part.functionResponse?.response["output"] };
  return { type: "tool-end", turn, callId, call, outcome, durationMs: value.durationMs };
}

async function decide(
  input: LoopInput,
  task: CallTask,
  step: Step<RunEvent>,
  lent: Pick<ToolContext, "attach" | "caller">,
): Promise<ToolOutcome> {
  const { turn, callId, call, refused } = task;
  const { signal } = step;
  if (refused !== undefined) return { ok: false, kind: "not-run", message: refused };
  const info = { turn, callId, call, signal };
  const { beforeCall, afterCall } = input.hooks;
  try {
    const decision = beforeCall === undefined ? undefined : await abortable(Promise.resolve(beforeCall(info)), signal);
    const outcome = await carryOut(decision);
    if (afterCall === undefined) return outcome;
    return (await abortable(Promise.resolve(afterCall({ ...info, outcome })), signal)) ?? outcome;
  } catch (error) {
    // A hook was cut off by the abort; the loop reports the abort itself.
    if (signal.aborted) return { ok: false, kind: "cancelled", message: "cancelled: the run was ended" };
    throw error;
  }

  function carryOut(decision: Awaited<ReturnType<NonNullable<typeof beforeCall>>>): ToolOutcome | Promise<ToolOutcome> {
    if (decision === undefined) return callTool(input.toolset.byName, call, context(input, task, step, lent));
    if ("deny" in decision) return { ok: false, kind: "denied", message: decision.deny };
    if ("output" in decision) return { ok: true, output: decision.output };
    const changed = { ...call, args: decision.args };
    return callTool(input.toolset.byName, changed, context(input, { ...task, call: changed }, step, lent));
  }
}

function context(
  input: LoopInput,
  { turn, callId, call }: CallTask,
  step: Step<RunEvent>,
  lent: Pick<ToolContext, "attach" | "caller">,
): ToolContext {
  return {
    signal: step.signal,
    callId,
    call,
    // Not the step's own key, which differs when a call that never happened is run again.
    idempotencyKey: `${input.steps.runId}/${callId}`,
    runId: input.steps.runId,
    turn,
    logger: input.logger,
    progress: async (progress) => {
      if (input.live !== undefined) await step.emit({ type: "tool-progress", turn, callId, progress });
    },
    ...lent,
  };
}

/** What a run inside a call gets of the one that made the call. */
function callerOf(input: LoopInput, state: RunState, startedAt: number): Caller {
  return {
    get remaining() {
      return remainingOf(input, state.spentInside(input.now() - startedAt));
    },
    prices: input.prices,
    approve: input.approve,
  };
}

/** How many bad calls of a tool are answered with advice before it is closed for the run. */
export function closedFor(tool: Tool | undefined, badCalls: number): string | undefined {
  if (tool === undefined || badCalls <= tool.maxRetries) return undefined;
  return `not run: ${tool.name} was called wrongly ${badCalls} times in this run; go on without it`;
}
