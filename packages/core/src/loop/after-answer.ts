import type { Outcome } from "../durable/steps.ts";
import { isWaitTimedOut } from "../durable/wait-timed-out.ts";
import { isObject } from "../internal/json.ts";
import type { Approval, PendingQuestion } from "../tool/approval.ts";
import { UNSURE } from "../tool/call-tool.ts";
import type { ToolOutcome } from "../tool/tool-outcome.ts";
import type { CallStage } from "./call-round.ts";
import { answeredBy, type CallStepValue, type CallTask } from "./call-step.ts";
import type { LoopInput } from "./loop-input.ts";
import { denialOf } from "./route-calls.ts";
import type { RunState } from "./run-state.ts";

/** What an answer from outside leads to. */
export function afterAnswer(
  input: LoopInput,
  state: RunState,
  stage: { readonly ask: PendingQuestion; readonly time: number },
  task: CallTask,
  outcome: Outcome | undefined,
): CallStepValue | CallStage {
  if (outcome?.ok !== true) {
    if (isWaitTimedOut(outcome)) return answeredBy(input, task, nobodyAnswered(input, task, stage.ask), state.endedAt);
    const why = outcome?.error.message ?? "no answer came";
    return answeredBy(input, task, { ok: false, kind: "failed", message: why }, state.endedAt);
  }
  const answer: unknown = outcome.value;
  if (stage.ask === "approval") {
    // Whoever resumed the run was typed to give one; anything else is a no.
    const why = denialOf(answer as Approval);
    if (why !== undefined) return answeredBy(input, task, denied(why), state.endedAt);
    return input.toolset.byName.get(task.call.name)?.outside === true ? { ask: "outcome", time: 1 } : { run: 0 };
  }
  if (isObject(answer) && "notDone" in answer) return { run: stage.time };
  const result: ToolOutcome =
    isObject(answer) && "output" in answer
      ? { ok: true, output: answer["output"] }
      : { ok: false, kind: "failed", message: isObject(answer) ? String(answer["error"]) : String(answer) };
  return answeredBy(input, task, result, state.endedAt);
}

function nobodyAnswered(input: LoopInput, { call }: CallTask, question: PendingQuestion): ToolOutcome {
  const within = `within ${input.toolset.byName.get(call.name)?.answerTimeoutMs} ms`;
  const messages: { readonly [Question in PendingQuestion]: string } = {
    approval: `not run: nobody agreed to this call ${within}`,
    outcome: `no answer came ${within}; ${UNSURE}`,
    "unknown-outcome": `nobody said ${within} what came of this call; ${UNSURE}`,
  };
  return { ok: false, kind: "timeout", message: messages[question] };
}

/** A call that somebody said no to. */
export function denied(message: string): ToolOutcome {
  return { ok: false, kind: "denied", message };
}
