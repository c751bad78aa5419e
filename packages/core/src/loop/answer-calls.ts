import type { Op, Outcome } from "../durable/steps.ts";
import { RunStepError } from "../errors/run-errors.ts";
import { type Channel, during } from "../internal/channel.ts";
import type { Content, FunctionCall, Part } from "../wire/content.ts";
import { type CallStepValue, type CallTask, callStep, closedFor, toolEnd } from "./call-step.ts";
import type { RunEvent } from "./events.ts";
import type { LoopInput } from "./loop-input.ts";
import type { RunState } from "./run-state.ts";
import { responsesContent } from "./transcript.ts";
import { withDeadline } from "./wall-clock.ts";

/** The answers to the calls of one turn. */
export interface AnsweredCalls {
  /** One function response for each call, in call order. */
  readonly responses: readonly Part[];
  /** What goes into the history: one `user` content with the responses and nothing else; media that may not stand there in one of its own. */
  readonly contents: readonly Content[];
}

/**
 * Answers every call of one turn, each exactly once.
 *
 * @param refused - When given, no call is run and each is answered with this text.
 */
export async function* answerCalls(
  input: LoopInput,
  state: RunState,
  calls: readonly FunctionCall[],
  refused?: string,
): AsyncGenerator<RunEvent, AnsweredCalls, void> {
  const turn = state.turns;
  const tasks = calls.map((call, index): CallTask => {
    return { turn, callId: `call:${turn}.${index}`, call, refused: refused ?? refusal(input, state, call, index) };
  });
  state.toolCalls += calls.length;

  const errors = new Map<string, unknown>();
  const reported = new Set<string>();
  const round = input.steps.round(tasks.map((task, index) => callOp(input, state, task, index, errors)));
  const outcomes = input.live === undefined ? await round : yield* watch(round, input.live, reported);

  const responses: Part[] = [];
  const after: Part[] = [];
  for (const [index, task] of tasks.entries()) {
    const value = valueOf(outcomes[index], task, errors);
    // A step that a journal answered has reported nothing.
    if (input.live !== undefined && !reported.has(`tool-start ${task.callId}`)) yield toolStart(task);
    if (input.live !== undefined && !reported.has(`tool-end ${task.callId}`)) yield toolEnd(task, value);
    state.sawCall(task.call.name, value);
    responses.push(value.part);
    after.push(...value.after);
  }
  state.answered.clear();
  const content = responsesContent(responses);
  return { responses, contents: after.length === 0 ? [content] : [content, { role: "user", parts: after }] };
}

function callOp(
  input: LoopInput,
  state: RunState,
  task: CallTask,
  index: number,
  errors: Map<string, unknown>,
): Op<RunEvent> {
  return {
    kind: "step",
    name: task.callId,
    run: async (step) => {
      const alone = input.toolset.byName.get(task.call.name)?.sequential ?? false;
      try {
        const value = await state.gate.through(alone, () => callStep(input, task, withDeadline(step, input.deadline)));
        state.answered.set(index, value.part);
        return value;
      } catch (error) {
        errors.set(task.callId, error);
        throw error;
      }
    },
  };
}

/** Yields the live events of a round and notes which calls they told of. */
async function* watch(
  round: Promise<Outcome[]>,
  live: Channel<RunEvent>,
  reported: Set<string>,
): AsyncGenerator<RunEvent, Outcome[], void> {
  const events = during(round, live);
  for (;;) {
    const next = await events.next();
    if (next.done === true) return next.value;
    if ("callId" in next.value) reported.add(`${next.value.type} ${next.value.callId}`);
    yield next.value;
  }
}

function toolStart({ turn, callId, call }: CallTask): RunEvent {
  return { type: "tool-start", turn, callId, call };
}

function refusal(input: LoopInput, state: RunState, call: FunctionCall, index: number): string | undefined {
  const limit = input.limits.toolCalls;
  if (limit !== undefined && state.toolCalls + index >= limit) {
    return `not run: the limit of ${limit} function calls for this run is reached`;
  }
  return closedFor(input.toolset.byName.get(call.name), state.badCalls.get(call.name) ?? 0);
}

/** A call step fails only when a hook threw, here or where the step ran; that ends the run. */
function valueOf(outcome: Outcome | undefined, task: CallTask, errors: ReadonlyMap<string, unknown>): CallStepValue {
  // The value is what callStep returned, through JSON.
  if (outcome?.ok === true) return outcome.value as unknown as CallStepValue;
  if (errors.has(task.callId)) throw errors.get(task.callId);
  const cause = outcome?.error;
  throw new RunStepError(`${task.callId} (${task.call.name}) failed: ${cause?.message ?? "no outcome"}`, task.callId, {
    cause,
  });
}
