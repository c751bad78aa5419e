import type { Op, Outcome } from "../durable/steps.ts";
import { VALUE_TOO_LARGE } from "../durable/settle-step.ts";
import { isRunSuspended } from "../durable/run-suspended.ts";
import { RunStepError } from "../errors/run-errors.ts";
import { type Channel, during } from "../internal/channel.ts";
import { isObject, type Json } from "../internal/json.ts";
import type { PendingCall, PendingQuestion } from "../tool/approval.ts";
import { UNSURE } from "../tool/call-tool.ts";
import type { Tool } from "../tool/tool.ts";
import type { Part } from "../wire/content.ts";
import { afterAnswer } from "./after-answer.ts";
import { answeredBy, type CallStepValue, type CallTask, callStep, toolStart } from "./call-step.ts";
import { afterChild, childOp, type ChildStage, childStepName } from "./child-call.ts";
import type { RunEvent } from "./events.ts";
import type { LoopInput } from "./loop-input.ts";
import { runName, waitName } from "./pending.ts";
import type { RunState } from "./run-state.ts";
import { withinWallTime } from "./wall-clock.ts";

/** What has to happen next for a call: it is run (once more, under a new name), or a question is put to somebody outside. */
export type CallStage =
  /** How often it was run before. */
  | { readonly run: number }
  /** `time`, from 1, is how often that is asked. */
  | { readonly ask: PendingQuestion; readonly time: number }
  | ChildStage;

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
  if (input.live !== undefined) {
    for (const pending of asked) yield { type: "tool-pending", ...pending };
    for (const { stage, task } of batch) {
      if (!("child" in stage) || stage.child !== "run") continue;
      reported.add(`tool-start ${task.callId}`);
      yield toolStart(task);
    }
  }
  const errors = new Map<string, unknown>();
  const work = input.steps.round(batch.map((one) => opFor(input, state, one, errors)));
  try {
    const outcomes = input.live === undefined ? await work : yield* watch(work, input.live, reported);
    for (const [position, { index }] of batch.entries()) keepAnswer(state, index, outcomes[position]);
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

/** A run that fails further on says what was done, whether that was just now or was read again. */
function keepAnswer(state: RunState, index: number, outcome: Outcome | undefined): void {
  if (outcome?.ok !== true || !isObject(outcome.value) || !("part" in outcome.value)) return;
  // Only a call's own step leaves a part.
  const { part, unknown } = outcome.value as unknown as CallStepValue;
  if (unknown !== true) state.answered.set(index, part);
}

/** Those of the open calls that may share a round: no gate holds a run of its own back from a call that has to be alone. */
export function sideBySide(input: LoopInput, batch: readonly OpenCall[]): readonly OpenCall[] {
  if (!batch.some(({ stage }) => "child" in stage && stage.child === "run")) return batch;
  return batch.filter(
    ({ stage, task }) => !("run" in stage) || input.toolset.byName.get(task.call.name)?.sequential !== true,
  );
}

function nameOf({ stage, task: { callId } }: OpenCall): string {
  if ("child" in stage) return childStepName(callId, stage);
  return "ask" in stage ? waitName(callId, stage.ask, stage.time) : runName(callId, stage.run);
}

function opFor(input: LoopInput, state: RunState, call: OpenCall, errors: Map<string, unknown>): Op<RunEvent> {
  const { index, stage, task } = call;
  const name = nameOf(call);
  if ("child" in stage) return childOp(input, stage, task, errors);
  const tool = task.refused === undefined ? input.toolset.byName.get(task.call.name) : undefined;
  if ("ask" in stage) {
    const question: PendingCall = { turn: task.turn, callId: task.callId, call: task.call, question: stage.ask };
    const timeoutMs = answerTimeoutOf(tool);
    // JSON all through: the call is as the model made it.
    return { kind: "wait", name, question: question as unknown as Json, ...(timeoutMs !== undefined && { timeoutMs }) };
  }
  return {
    kind: "step",
    name,
    ...(tool?.effects === "once" && { once: true }),
    run: async (step) => {
      let begun = false;
      try {
        const value = await state.gate.through(tool?.sequential ?? false, () => {
          begun = !step.signal.aborted;
          return withinWallTime(input.clock, step, (timed) => callStep(input, state, task, timed));
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

function answerTimeoutOf(tool: Tool | undefined): number | undefined {
  const timeoutMs = tool?.answerTimeoutMs;
  return timeoutMs === Number.POSITIVE_INFINITY ? undefined : timeoutMs;
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
): CallStepValue | CallStage | Promise<CallStepValue | CallStage> {
  if ("child" in stage) return afterChild(input, state, stage, task, outcome);
  return "run" in stage
    ? afterRun(input, state, stage, task, outcome)
    : afterAnswer(input, state, stage, task, outcome);
}

/** A call step fails only when a hook threw, here or where the step ran; that ends the run. */
function afterRun(
  input: LoopInput,
  state: RunState,
  stage: { readonly run: number },
  task: CallTask,
  outcome: Outcome | undefined,
): CallStepValue | CallStage {
  if (outcome?.ok === true) {
    // The value is what callStep returned, through JSON.
    const value = outcome.value as unknown as CallStepValue;
    return value.unknown === true ? { ask: "unknown-outcome", time: stage.run + 1 } : value;
  }
  const cause = outcome?.error;
  // It was done, but what it left cannot be kept: the model has to ask for less.
  if (cause?.code === VALUE_TOO_LARGE)
    return answeredBy(input, task, { ok: false, kind: "failed", message: cause.message }, state.endedAt);
  throw new RunStepError(`${task.callId} (${task.call.name}) failed: ${cause?.message ?? "no outcome"}`, task.callId, {
    cause,
  });
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
