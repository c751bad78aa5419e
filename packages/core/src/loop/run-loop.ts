import { isRunSuspended } from "../durable/run-suspended.ts";
import { classifyFinish } from "../model/finish-reason.ts";
import type { FunctionCall } from "../wire/content.ts";
import { type AnsweredCalls, answerCalls } from "./answer-calls.ts";
import { compactWhenFull } from "./compact.ts";
import { type Ending, endingOf, endingOfPending, endingOfProblem, keeps } from "./endings.ts";
import type { RunEvent } from "./events.ts";
import { attachFound } from "./found-responses.ts";
import { firstLimit } from "./limits.ts";
import type { LoopInput } from "./loop-input.ts";
import { outcomeOf } from "./outcome-of.ts";
import { outputPhase, type Phase, workPhase } from "./phase.ts";
import { MAX_RECOVERIES } from "./recover.ts";
import { RepeatGuard } from "./repeated-calls.ts";
import type { RunResult } from "./result.ts";
import { attachRunSoFar } from "./run-so-far.ts";
import type { RunState } from "./run-state.ts";
import { callsIn, closing, visibleText } from "./transcript.ts";
import { usableAnswer } from "./usable-answer.ts";
import { WallClock } from "./wall-clock.ts";

/** The only loop. Every public way to run an agent is a way of reading this generator. */
export async function* runLoop(input: LoopInput, state: RunState): AsyncGenerator<RunEvent, RunResult<unknown>, void> {
  const { wallTimeMs } = input.limits;
  const bounded =
    wallTimeMs === undefined ? input : { ...input, clock: new WallClock(wallTimeMs, () => state.activeMs) };
  try {
    yield { type: "run-start", runId: state.runId, model: input.model.id };
    let ending = yield* turns(bounded, state, workPhase(input, state));
    const answer = ending.stopReason === "finished" ? state.lastResponse : undefined;
    if (ending.stopReason === "finished" && input.output?.native === false) {
      ending = yield* turns(bounded, state, outputPhase(state, input.output));
    }
    // Sum types do not survive a spread, but each ending lacks just what RunOutcome has.
    const result = { ...outcomeOf(input, state, answer ?? state.lastResponse), ...ending } as RunResult<unknown>;
    attachFound(result, state.responses);
    yield { type: "run-end", result };
    return result;
  } catch (error) {
    attachRunSoFar(error, state.soFar());
    throw error;
  }
}

async function* turns(input: LoopInput, state: RunState, phase: Phase): AsyncGenerator<RunEvent, Ending, void> {
  const guard = new RepeatGuard(input.maxRepeats);
  let cutOffTurns = 0;
  for (let first = true; ; first = false) {
    const limit = firstLimit(input, state.spent());
    if (limit !== undefined) return { stopReason: "limit", limit };
    input.signal.throwIfAborted();

    const turn = ++state.turns;
    // Nobody reads the events of a run without a reader; each would pass through every generator above.
    if (input.live !== undefined) yield { type: "turn-start", turn };
    if (phase.prefix === "") yield* compactWhenFull(input, state);
    const answer = yield* usableAnswer(input, state, phase, first);
    if (answer === "wall-time") continue;
    const { response, problem, output } = answer;
    const calls = callsIn(response.content);
    const cutOff = classifyFinish(response.finishReason) === "truncated";

    const ending =
      problem === undefined
        ? endingOf(response, calls, output, cutOff)
        : endingOfProblem(problem, response, answer.detail);
    if (keeps(ending, response)) phase.thread.push(response.content);
    if (ending !== undefined) {
      yield { type: "turn-end", turn };
      if (ending.stopReason === "finished" && (answer.steeringWaits || (await moreWasSaid(input, state, phase))))
        continue;
      return ending;
    }

    const answered = yield* answerOrSuspend(input, state, calls, cutOff ? CUT_OFF : undefined);
    if (answered === undefined) {
      phase.thread.push(...closing(phase.thread, state.answered, UNANSWERED));
      yield { type: "turn-end", turn };
      return endingOfPending(state.pending);
    }
    phase.thread.push(...answered.contents);
    if (input.live !== undefined) yield { type: "turn-end", turn };
    input.signal.throwIfAborted();

    cutOffTurns = cutOff ? cutOffTurns + 1 : 0;
    if (cutOffTurns > MAX_RECOVERIES["truncated-call"]) return { stopReason: "truncated" };
    if (guard.sawTurn(calls, answered.responses)) return { stopReason: "repeated-calls" };
    const progress = {
      turns: turn,
      toolCalls: state.toolCalls,
      usage: state.usage,
      lastCalls: calls,
      lastText: visibleText(response.content),
    };
    if (input.stopWhen.some((rule) => rule(progress))) return { stopReason: "stopped" };
  }
}

/** Asked when the run would finish: what comes later is too late. The output's own turns hear nothing. */
async function moreWasSaid({ steering }: LoopInput, state: RunState, phase: Phase): Promise<boolean> {
  return phase.prefix === "" && (await steering?.waits?.(state.steeredUpTo)) === true;
}

const CUT_OFF = "not run: your answer was cut off by the token limit; make the call again, shorter";
const UNANSWERED = "not run: the answer it waited for did not come";

/** The answers to a turn's calls, or `undefined` when some of them wait for somebody outside. */
async function* answerOrSuspend(
  input: LoopInput,
  state: RunState,
  calls: readonly FunctionCall[],
  refused: string | undefined,
): AsyncGenerator<RunEvent, AnsweredCalls | undefined, void> {
  try {
    return yield* answerCalls(input, state, calls, refused);
  } catch (error) {
    if (isRunSuspended(error) && state.pending.length > 0) return undefined;
    throw error;
  }
}
