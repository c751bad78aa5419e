import type { Op, Outcome } from "../durable/steps.ts";
import { RunStepError } from "../errors/run-errors.ts";
import { during } from "../internal/channel.ts";
import type { Content, FunctionCall } from "../wire/content.ts";
import { type CallStepValue, type CallTask, callStep, closedFor, toolEnd } from "./call-step.ts";
import { CallGate } from "./call-gate.ts";
import type { RunEvent } from "./events.ts";
import type { LoopInput } from "./loop-input.ts";
import type { RunState } from "./run-state.ts";
import { withDeadline } from "./wall-clock.ts";
import { responsesContent } from "./transcript.ts";

/**
 * Answers every call of one turn: one `user` content with a response for each, in call order, and nothing else; media
 * that may not stand there follows in a content of its own.
 *
 * @param refused - When given, no call is run and each is answered with this text.
 */
export async function* answerCalls(
  input: LoopInput,
  state: RunState,
  calls: readonly FunctionCall[],
  refused?: string,
): AsyncGenerator<RunEvent, Content[], void> {
  const turn = state.turns;
  const tasks = calls.map((call, index): CallTask => ({ turn, callId: `call:${turn}.${index}`, call, refused: refused ?? refusal(input, state, call, index) }));
  state.toolCalls += calls.length;

  const errors = new Map<string, unknown>();
  const gate = new CallGate(input.concurrency);
  const started = new Set<string>();
  const ended = new Set<string>();
  const ops = tasks.map((task, index): Op<RunEvent> => ({
    kind: "step",
    name: task.callId,
    run: async (step) => {
      const alone = input.toolset.byName.get(task.call.name)?.sequential ?? false;
      try {
        const value = await gate.through(alone, () => callStep(input, task, withDeadline(step, input.deadline)));
        state.answered.set(index, value.part);
        return value;
      } catch (error) {
        errors.set(task.callId, error);
        throw error;
      }
    },
  }));

  const round = input.steps.round(ops);
  let outcomes: Outcome[];
  if (input.live === undefined) outcomes = await round;
  else {
    const live = during(round, input.live);
    for (;;) {
      const next = await live.next();
      if (next.done === true) {
        outcomes = next.value;
        break;
      }
      const event = next.value;
      if (event.type === "tool-start") started.add(event.callId);
      if (event.type === "tool-end") ended.add(event.callId);
      yield event;
    }
  }

  const values = outcomes.map((outcome, index) => valueOf(outcome, tasks[index]!, errors));
  for (const [index, value] of values.entries()) {
    const task = tasks[index]!;
    if (input.live !== undefined && !started.has(task.callId)) yield { type: "tool-start", turn, callId: task.callId, call: task.call };
    if (input.live !== undefined && !ended.has(task.callId)) yield toolEnd(task, value);
    state.sawTime(value.startedAt, value.endedAt);
    for (const run of value.nested) state.sawNested(run);
    if (value.failure?.kind === "bad-input") state.badCalls.set(task.call.name, (state.badCalls.get(task.call.name) ?? 0) + 1);
  }
  const contents = [responsesContent(values.map((value) => value.part))];
  const after = values.flatMap((value) => value.after);
  if (after.length > 0) contents.push({ role: "user", parts: after });
  state.answered.clear();
  return contents;
}

function refusal(input: LoopInput, state: RunState, call: FunctionCall, index: number): string | undefined {
  const limit = input.limits.toolCalls;
  if (limit !== undefined && state.toolCalls + index >= limit) return `not run: the limit of ${limit} function calls for this run is reached`;
  return closedFor(input.toolset.byName.get(call.name), state.badCalls.get(call.name) ?? 0);
}

/** A call step fails only when a hook threw, here or where the step ran; that ends the run. */
function valueOf(outcome: Outcome, task: CallTask, errors: ReadonlyMap<string, unknown>): CallStepValue {
  // The value is what callStep returned, through JSON.
  if (outcome.ok) return outcome.value as unknown as CallStepValue;
  if (errors.has(task.callId)) throw errors.get(task.callId);
  throw new RunStepError(`${task.callId} (${task.call.name}) failed: ${outcome.error.message}`, task.callId, { cause: outcome.error });
}
