import { findRecorded, type Op } from "../../durable/steps.ts";
import { stepName, type StepPlace } from "../../durable/run-log.ts";
import { present } from "../../internal/json.ts";
import { jsonSafe } from "../../tool/function-response.ts";
import type { JobContext, StartedJob } from "../../tool/job.ts";
import type { ToolOutcome } from "../../tool/tool.ts";
import type { RunEvent } from "../events.ts";
import type { LoopInput } from "../loop-input.ts";
import { executeStep } from "../single-step.ts";
import type { CallState, TurnCall } from "./call-state.ts";

/** The place of the wait for a call's job, which the job's outcome ends. */
export function jobWait({ turn, callId, number = 1 }: JobOfCall): Extract<StepPlace, { kind: "wait" }> {
  return { kind: "wait", turn, callId, question: "job", time: number };
}

type JobOfCall = Pick<TurnCall, "turn" | "callId"> & Pick<StartedJob, "number">;

/** True when an outcome has arrived for a job whose process died while starting it. */
export function isReported({ steps }: LoopInput, call: JobOfCall): boolean {
  return findRecorded(steps, stepName(jobWait(call))).outcome !== undefined;
}

/** The state of a call whose job nobody waits for anymore; undefined when the job can't be cancelled. */
export function leaveJob(call: TurnCall, outcome: ToolOutcome): CallState | undefined {
  return canCancel(call) ? { state: "cancelling-job", outcome } : undefined;
}

function canCancel({ tool, asked }: TurnCall): boolean {
  return tool?.job?.cancel !== undefined && (asked?.job?.jobId ?? "") !== "";
}

/** Cancels the job of a call, in a step that records whether it worked; nothing depends on it. */
export function cancelOperation(input: LoopInput, call: TurnCall): Op<RunEvent> {
  const { turn, callId, tool, asked } = call;
  const place = { kind: "hook", turn, callId, hook: "cancel" } as const;
  return {
    kind: "step",
    name: stepName(place),
    place,
    run: (step) =>
      executeStep(input, place, step, async ({ signal }) => {
        const error = await tool?.job?.cancel?.(asked?.job?.jobId ?? "", contextOf(input, call, signal));
        signal.throwIfAborted();
        return present({ error });
      }),
  };
}

/** How an engine checks and cancels a job during the wait for it. */
export function waitControls(input: LoopInput, call: TurnCall): Pick<Extract<Op, { kind: "wait" }>, "poll" | "cancel"> {
  const { tool, asked } = call;
  const { jobId = "", everyMs } = asked?.job ?? {};
  const cancel = async (signal: AbortSignal) => {
    await tool?.job?.cancel?.(jobId, contextOf(input, call, signal));
  };
  const check = async (signal: AbortSignal) => {
    const report = await tool?.job?.check?.(jobId, contextOf(input, call, signal));
    return report === undefined || "progress" in report ? undefined : jsonSafe(report).value;
  };
  return {
    ...(everyMs !== undefined && { poll: { everyMs, check } }),
    ...(canCancel(call) && { cancel }),
  };
}

function contextOf({ identity, context }: LoopInput, { callId, asked }: TurnCall, signal: AbortSignal): JobContext {
  return { ...identity, context, signal, callId, since: asked?.job?.since ?? 0 };
}
