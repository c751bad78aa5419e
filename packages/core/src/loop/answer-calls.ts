import { RunStepError } from "../errors/run-errors.ts";
import type { ToolOutcome } from "../tool/tool-outcome.ts";
import type { Content, FunctionCall, Part } from "../wire/content.ts";
import { denied } from "./after-answer.ts";
import { type CallStage, callRound, nextStage, type OpenCall, sideBySide } from "./call-round.ts";
import { answeredBy, type CallStepValue, type CallTask, closedFor, toolEnd, toolStart } from "./call-step.ts";
import { agentOf, beginChild } from "./child-call.ts";
import type { RunEvent } from "./events.ts";
import type { LoopInput } from "./loop-input.ts";
import { type CallRoute, needRoutes, routeCalls } from "./route-calls.ts";
import type { RunState } from "./run-state.ts";
import { responsesContent } from "./transcript.ts";
import { isWallTimeReached, withinWallTime } from "./wall-clock.ts";

/** The answers to the calls of one turn. */
export interface AnsweredCalls {
  /** One function response for each call, in call order. */
  readonly responses: readonly Part[];
  /** What goes into the history: one `user` content with the responses and nothing else; media that may not stand there in one of its own. */
  readonly contents: readonly Content[];
}

/**
 * Answers every call of one turn, each exactly once, in as few rounds as the questions allow: calls that need nobody's word
 * run in the round in which the others are asked about.
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

  const reported = new Set<string>();
  const values = new Map<number, CallStepValue>();
  const settle = (index: number, value: CallStepValue): void => {
    values.set(index, value);
    state.answered.set(index, value.part);
  };
  const open = new Map<number, CallStage>();
  const take = (one: Pick<OpenCall, "index" | "task">, next: CallStepValue | CallStage): void => {
    if ("part" in next) {
      settle(one.index, next);
      open.delete(one.index);
    } else open.set(one.index, next);
  };
  const routes = await routesOf(input, tasks, turn);
  // The limit ends the run before its next request; a resumed one asks again.
  if (routes === "wall-time") {
    state.wallTimeUp = true;
    for (const [index, task] of tasks.entries()) settle(index, answeredBy(input, task, OUT_OF_TIME, state.endedAt));
  } else
    for (const [index, route] of routes.entries()) {
      const task = tasks[index];
      if (task === undefined) continue;
      if (route.do === "deny") settle(index, answeredBy(input, task, denied(route.why), state.endedAt));
      else open.set(index, STAGE_OF[route.do]);
    }

  while (open.size > 0) {
    if (input.steps.children !== undefined) await beginChildren(input, state, tasks, open, take);
    const batch = [...open].map(([index, stage]): OpenCall => ({ index, stage, task: taskAt(tasks, index) }));
    const round = sideBySide(input, batch);
    const outcomes = yield* callRound(input, state, round, reported);
    for (const [position, one] of round.entries()) {
      const next = nextStage(input, state, one, outcomes[position]);
      take(one, next instanceof Promise ? await next : next);
    }
  }

  // A step that a journal answered has reported nothing.
  if (input.live !== undefined) {
    for (const task of tasks) if (!reported.has(`tool-start ${task.callId}`)) yield toolStart(task);
  }
  const responses: Part[] = [];
  const after: Part[] = [];
  for (const [index, task] of tasks.entries()) {
    const value = values.get(index);
    if (value === undefined) throw new RunStepError(`${task.callId} has no answer`, task.callId);
    if (input.live !== undefined && !reported.has(`tool-end ${task.callId}`)) yield toolEnd(task, value);
    state.sawCall(task.call.name, value);
    responses.push(value.part);
    after.push(...value.after);
  }
  state.answered.clear();
  state.unsettled.length = 0;
  const content = responsesContent(responses);
  return { responses, contents: after.length === 0 ? [content] : [content, { role: "user", parts: after }] };
}

/** Calls of agents that have runs of their own here take that way, once nothing else has to come first. */
async function beginChildren(
  input: LoopInput,
  state: RunState,
  tasks: readonly CallTask[],
  open: ReadonlyMap<number, CallStage>,
  take: (one: Pick<OpenCall, "index" | "task">, next: CallStepValue | CallStage) => void,
): Promise<void> {
  for (const [index, stage] of open) {
    const task = taskAt(tasks, index);
    if ("run" in stage && stage.run === 0 && agentOf(input, task) !== undefined)
      take({ index, task }, await beginChild(input, state, task));
  }
}

const OUT_OF_TIME: ToolOutcome = { ok: false, kind: "cancelled", message: "cancelled: the run was ended" };

const STAGE_OF: Readonly<Record<Exclude<CallRoute["do"], "deny">, CallStage>> = {
  run: { run: 0 },
  "ask-approval": { ask: "approval", time: 1 },
  "ask-outcome": { ask: "outcome", time: 1 },
};

/** Where the calls go. Only calls whose tools ask for it cost a step. */
async function routesOf(
  input: LoopInput,
  tasks: readonly CallTask[],
  turn: number,
): Promise<readonly CallRoute[] | "wall-time"> {
  if (!needRoutes(input, tasks)) return tasks.map(() => ({ do: "run" as const }));
  const name = `route:${turn}`;
  let failure: { readonly error: unknown } | undefined;
  const [outcome] = await input.steps.round([
    {
      kind: "step",
      name,
      run: async (step) => {
        try {
          return await withinWallTime(input.clock, step, ({ signal }) => routeCalls(input, tasks, signal));
        } catch (error) {
          failure = { error };
          throw error;
        }
      },
    },
  ]);
  // The value is what routeCalls returned, through JSON.
  if (outcome?.ok === true) return outcome.value as unknown as readonly CallRoute[];
  if (isWallTimeReached(outcome?.error)) return "wall-time";
  if (failure !== undefined) throw failure.error;
  throw new RunStepError(`${name} failed: ${outcome?.error.message}`, name, { cause: outcome?.error });
}

function refusal(input: LoopInput, state: RunState, call: FunctionCall, index: number): string | undefined {
  const limit = input.limits.toolCalls;
  if (limit !== undefined && state.toolCalls + index >= limit) {
    return `not run: the limit of ${limit} function calls for this run is reached`;
  }
  return closedFor(input.toolset.byName.get(call.name), state.badCalls.get(call.name) ?? 0);
}

function taskAt(tasks: readonly CallTask[], index: number): CallTask {
  const task = tasks[index];
  if (task === undefined) throw new RangeError(`there is no call ${index}`);
  return task;
}
