import type { Op, Outcome } from "../durable/steps.ts";
import { isRunSuspended } from "../durable/run-suspended.ts";
import { RunStepError } from "../errors/run-errors.ts";
import { type Channel, during } from "../internal/channel.ts";
import { isObject } from "../internal/json.ts";
import type { Approval, PendingQuestion } from "../tool/approval.ts";
import { UNSURE } from "../tool/call-tool.ts";
import type { ToolOutcome } from "../tool/tool-outcome.ts";
import type { Part } from "../wire/content.ts";
import { answeredBy, type CallStepValue, type CallTask, callStep } from "./call-step.ts";
import type { RunEvent } from "./events.ts";
import type { LoopInput } from "./loop-input.ts";
import { runName, waitName } from "./pending.ts";
import { denialOf } from "./route-calls.ts";
import type { RunState } from "./run-state.ts";
import { withDeadline } from "./wall-clock.ts";

/** What has to happen next for a call: it is run (once more, under a new name), or a question is put to somebody outside. */
export type CallStage =
  /** How often it was run before. */
  | { readonly run: number }
  /** `time`, from 1, is how often that is asked. */
  | { readonly ask: PendingQuestion; readonly time: number };

/** A call that has no answer yet. */
export interface OpenCall {
  readonly index: number;
  readonly stage: CallStage;
  readonly task: CallTask;
}

/** One round for all open calls. When it suspends the run, the state knows what is waited for. */
export async function* callRound(
  input: LoopInput,
  state: RunState,
  batch: readonly OpenCall[],
  reported: Set<string>,
): AsyncGenerator<RunEvent, Outcome[], void> {
  const asked = batch.flatMap(({ stage, task: { turn, callId, call } }) =>
    "ask" in stage ? [{ turn, callId, call, question: stage.ask }] : [],
  );
  if (input.live !== undefined) for (const pending of asked) yield { type: "tool-pending", ...pending };
  const errors = new Map<string, unknown>();
  const work = input.steps.round(batch.map((one) => opFor(input, state, one, errors)));
  try {
    const outcomes = input.live === undefined ? await work : yield* watch(work, input.live, reported);
    for (const { task } of batch) if (errors.has(task.callId)) throw errors.get(task.callId);
    return outcomes;
  } catch (error) {
    if (isRunSuspended(error)) {
      // What cut the other calls off ends the run; its questions are asked again when it is resumed.
      for (const { task } of batch) if (errors.has(task.callId)) throw errors.get(task.callId);
      const names = new Map(batch.map((one) => [one.task.callId, nameOf(one)]));
      state.pending = asked.filter(({ callId }) => error.waiting.includes(names.get(callId) ?? ""));
    }
    throw error;
  }
}

function nameOf({ stage, task: { callId } }: OpenCall): string {
  return "ask" in stage ? waitName(callId, stage.ask, stage.time) : runName(callId, stage.run);
}

function opFor(input: LoopInput, state: RunState, call: OpenCall, errors: Map<string, unknown>): Op<RunEvent> {
  const { index, stage, task } = call;
  const name = nameOf(call);
  if ("ask" in stage) return { kind: "wait", name };
  const tool = task.refused === undefined ? input.toolset.byName.get(task.call.name) : undefined;
  return {
    kind: "step",
    name,
    ...(tool?.effects === "once" && { once: true }),
    run: async (step) => {
      let begun = false;
      try {
        const value = await state.gate.through(tool?.sequential ?? false, () => {
          begun = !step.signal.aborted;
          return callStep(input, state, task, withDeadline(step, input.deadline));
        });
        if (value.unknown !== true) state.answered.set(index, value.part);
        return value;
      } catch (error) {
        errors.set(task.callId, error);
        // Read when the conversation goes on without resuming: a model that is told less would call it again.
        if (tool?.effects === "once" && begun) state.answered.set(index, cutOff(input, state, task));
        throw error;
      }
    },
  };
}

function cutOff(input: LoopInput, state: RunState, task: CallTask): Part {
  const message = `cancelled: the run was ended; ${UNSURE}`;
  return answeredBy(input, task, { ok: false, kind: "cancelled", message }, state.endedAt).part;
}

/** What the outcome of a call's operation leads to: its answer, or another stage. */
export function nextStage(
  input: LoopInput,
  state: RunState,
  { stage, task }: OpenCall,
  outcome: Outcome | undefined,
): CallStepValue | CallStage {
  return "run" in stage ? afterRun(stage, outcome, task) : afterAnswer(input, state, stage, task, outcome);
}

/** A call step fails only when a hook threw, here or where the step ran; that ends the run. */
function afterRun(
  stage: { readonly run: number },
  outcome: Outcome | undefined,
  task: CallTask,
): CallStepValue | CallStage {
  if (outcome?.ok === true) {
    // The value is what callStep returned, through JSON.
    const value = outcome.value as unknown as CallStepValue;
    return value.unknown === true ? { ask: "unknown-outcome", time: stage.run + 1 } : value;
  }
  const cause = outcome?.error;
  throw new RunStepError(`${task.callId} (${task.call.name}) failed: ${cause?.message ?? "no outcome"}`, task.callId, {
    cause,
  });
}

/** What an answer from outside leads to. */
function afterAnswer(
  input: LoopInput,
  state: RunState,
  stage: { readonly ask: PendingQuestion; readonly time: number },
  task: CallTask,
  outcome: Outcome | undefined,
): CallStepValue | CallStage {
  if (outcome?.ok !== true) {
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

/** A call that somebody said no to. */
export function denied(message: string): ToolOutcome {
  return { ok: false, kind: "denied", message };
}

/** Yields the live events of a round and notes which calls they told of. */
async function* watch(
  work: Promise<Outcome[]>,
  live: Channel<RunEvent>,
  reported: Set<string>,
): AsyncGenerator<RunEvent, Outcome[], void> {
  const events = during(work, live);
  for (;;) {
    const next = await events.next();
    if (next.done === true) return next.value;
    if ("callId" in next.value) reported.add(`${next.value.type} ${next.value.callId}`);
    yield next.value;
  }
}
