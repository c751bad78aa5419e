import type { LostUsage } from "../durable/closed-turn.ts";
import { abortable } from "../internal/abort.ts";
import { classifyFinish } from "../model/response/fold.ts";
import { visibleText } from "../model/response/parts.ts";
import { attachLost, lostBefore, type Usage } from "../model/usage.ts";
import { TRUNCATED, UNANSWERED } from "../tool/model-texts.ts";
import { readStandIn } from "../tool/stand-in.ts";
import { buildResult } from "./build-result.ts";
import { answerCalls, answerRest } from "./calls/answer-calls.ts";
import { type AskOwnerBudget, checkPriced, firstLimit, type LimitReached, WallClock } from "./limits.ts";
import { runEnd } from "./events.ts";
import type { GuardrailStop } from "./guardrails.ts";
import type { LoopInput, OutputPlan } from "./loop-input.ts";
import { attachRunSoFar, type RunResult } from "./result.ts";
import type { RunState } from "./run-state.ts";
import { isRecorded } from "./single-step.ts";
import { closing } from "./transcript.ts";
import { type Ending, classifyEnding, keeps, MAX_RECOVERIES } from "./turn/classify-answer.ts";
import { checkRunInput } from "./turn/check-guardrails.ts";
import { compactWhenFull, filterHandoff } from "./turn/compact-history.ts";
import { describeTurns, turnEvents } from "./turn/closed-turns.ts";
import { costOf, responseEvents } from "./turn/model-step.ts";
import { checkPartial, modelTurn, outputPhase, type Phase, workPhase } from "./turn/model-turn.ts";

/** The only loop. Every public way to run an agent calls this function. */
export async function runLoop(input: LoopInput, state: RunState): Promise<RunResult<unknown>> {
  let led = timed(input, state);
  try {
    if (input.emit !== undefined) await input.emit({ type: "run-start", ...input.identity, model: input.model.id });
    if (input.emit !== undefined && input.closedTurns !== undefined)
      for (const event of turnEvents(input.closedTurns, { ...input.identity, isTyped: input.output?.native === true }))
        await input.emit(event);
    if (state.handover !== undefined) led = await findLeader(input, state);
    let ended: RunResult<unknown> | undefined;
    const end: End = async (ending) => {
      const result = buildResult(input, state, ending);
      if ((await input.beforeEnd?.(result)) === "steered") return false;
      ended = result;
      return true;
    };
    for (;;) {
      let ending = await runTurns(led, state, workPhase(led, state), end);
      if (ending === "handed-over") {
        led = await findLeader(input, state);
        continue;
      }
      if (ending.stopReason === "finished" && ending.endedBy === undefined && led.output?.native === false)
        ending = await convertAnswer(led, state, led.output, end);
      if (ended === undefined) await end(ending);
      if (ended === undefined) continue;
      if (input.emit !== undefined) await input.emit({ type: "run-end", result: runEnd(ended) });
      return ended;
    }
  } catch (error) {
    if (input.isReading !== true) await checkPartial(led, state);
    const lost = lostBefore(error) ?? state.partial.lost;
    if (lost !== undefined) {
      state.lost = { turn: state.turns, usage: lost, ...costOfLost(led, lost) };
      state.addLost(state.lost);
    }
    // The error of a run inside a call may end the calling run, which has these figures already.
    attachLost(error, undefined);
    attachRunSoFar(error, state.soFar());
    throw error;
  }
}

/** The input of the agent that leads. If that agent is no longer known, the agent that began the run leads again. */
async function findLeader(input: LoopInput, state: RunState): Promise<LoopInput> {
  const { handover } = state;
  const led = handover && (await input.takeOver?.(handover));
  if (handover !== undefined && led === undefined)
    input.logger.warn({ agent: handover.to }, "the agent that took over is no longer among the handoffs");
  return timed(led ?? input, state);
}

function timed(input: LoopInput, state: RunState): LoopInput {
  const { wallTimeMs } = input.limits;
  return wallTimeMs === undefined ? input : { ...input, clock: new WallClock(wallTimeMs, () => state.activeMs) };
}

/** The cost of broken answers: their model is unknown, so the run's is assumed. */
function costOfLost({ prices, model, now }: LoopInput, lost: Usage): Pick<LostUsage, "cost" | "unpriced"> {
  const priced = prices === undefined ? {} : costOf(prices, lost, model.id, now());
  return priced.cost !== undefined || lost.totalTokens > 0 ? priced : {};
}

/** Ends the run with a result. @returns False when it has to continue instead: a message or an answer arrived at the last moment. */
type End = (ending: Ending) => Promise<boolean>;

/** Converts an answer to the schema, in a phase without tools. */
async function convertAnswer(input: LoopInput, state: RunState, output: OutputPlan, end: End): Promise<Ending> {
  const ending = await runTurns(input, state, outputPhase(state, output), end);
  if (ending === "handed-over") throw new RangeError("a phase without tools cannot hand over");
  return ending;
}

/** @param end - Called for an ending in the middle of a turn; when it returns false, the turn continues with the new answers. */
async function runTurns(input: LoopInput, state: RunState, phase: Phase, end: End): Promise<Ending | "handed-over"> {
  const { steps, ownerBudget, filter } = input;
  const { handover } = state;
  for (;;) {
    if (state.unpriced !== undefined) checkPriced(input, state.unpriced);
    let limit = firstLimit(input, state.spent());
    if (limit !== undefined && isBegun(input, state, phase)) limit = undefined;
    else if (limit === undefined && ownerBudget !== undefined)
      limit = await ownerLimit(input, ownerBudget, state, phase);
    if (limit !== undefined) {
      if (input.isReading !== true) await checkPartial(input, state);
      return { stopReason: "limit", limit };
    }
    input.signal.throwIfAborted();

    if (steps.closeTurn !== undefined) openTurn(steps, state, phase);
    const turn = ++state.turns;
    if (input.emit !== undefined) await input.emit({ type: "turn-start", turn });
    let answer = state.unchecked.length > 0 ? await checkRunInput(input, state) : undefined;
    if (answer === undefined) {
      const mayCompact = input.compaction !== undefined || steps.recorded !== undefined;
      const isFiltered = filter !== undefined && handover?.turn === turn - 1;
      const filtered = isFiltered && (await filterHandoff(input, state, filter));
      const compacted =
        filtered === "wall-time" || (phase.kind === "work" && mayCompact && (await compactWhenFull(input, state)));
      answer = compacted === "wall-time" ? compacted : await modelTurn(input, state, phase);
    } else if (input.emit !== undefined && answer !== "wall-time" && "response" in answer)
      for (const event of responseEvents(answer.response, turn, false)) await input.emit(event);
    if (answer === "wall-time") {
      state.useUpWallTime(input.limits);
      continue;
    }
    if ("guardrail" in answer) return await stopTurn(input, turn, answer.guardrail);
    const { response, calls: written } = answer;
    const { standIns } = response;

    const ending = classifyEnding(answer);
    if (keeps(ending, response)) phase.contents.push(response.content);
    if (ending !== undefined) {
      if (input.emit !== undefined) await input.emit({ type: "turn-end", turn });
      if (ending.stopReason === "finished" && (answer.steeringWaits || (await steeringWaits(input, state, phase))))
        continue;
      return ending;
    }

    const isCutOff = classifyFinish(response.finishReason) === "truncated";
    const callInput = state.turnTools === undefined ? input : { ...input, toolset: state.turnTools };
    const calls = standIns === undefined ? written : written.map((call) => readStandIn(call, standIns).call);
    let answered = await answerCalls(callInput, state, written, isCutOff ? TRUNCATED : undefined, standIns);
    while (answered === undefined) {
      const { length } = phase.contents;
      phase.contents.push(...closing(phase.contents, state.answeredParts(), UNANSWERED));
      const needsApproval = state.pending.some(({ question }) => question === "approval");
      const stopReason = needsApproval ? "needs-approval" : "needs-outcome";
      const waiting: Ending = { stopReason, pending: state.pending };
      if (await end(waiting)) {
        if (input.emit !== undefined) await input.emit({ type: "turn-end", turn });
        return waiting;
      }
      phase.contents.length = length;
      answered = await answerRest(callInput, state);
    }
    phase.contents.push(...answered.contents);
    const { handover: next } = state;
    const handsOver = next !== undefined && next !== handover;
    if (handsOver && input.emit !== undefined)
      await input.emit({ type: "handoff", turn, from: input.identity.agent, to: next.to });
    if (answered.guardrail !== undefined) return await stopTurn(input, turn, answered.guardrail);
    if (input.emit !== undefined) await input.emit({ type: "turn-end", turn });
    input.signal.throwIfAborted();
    if (answered.ending !== undefined && !(await steeringWaits(input, state, phase)))
      return { stopReason: "finished", ...answered.ending };

    state.cutOffTurns = isCutOff ? state.cutOffTurns + 1 : 0;
    const isCutTooOften = state.cutOffTurns > MAX_RECOVERIES["truncated-call"];
    const isRepeated = state.repeats.addTurn(calls, answered.responses) >= input.limits.repeats;
    const mayEnd = isCutTooOften || isRepeated || input.stopWhen.length > 0;
    if (mayEnd && !isBegun(input, state, phase)) {
      if (isCutTooOften) return { stopReason: "truncated" };
      if (isRepeated) return { stopReason: "repeated-calls" };
      const { toolCalls, usage } = state;
      const progress = { turns: turn, toolCalls, usage, lastCalls: calls, lastText: visibleText(response.content) };
      if (input.stopWhen.some((rule) => rule(progress))) return { stopReason: "stopped" };
    }
    if (handsOver) return "handed-over";
  }
}

/** True when a journal has the next turn: the decision to make it is not made again. */
function isBegun(input: Pick<LoopInput, "steps" | "isReading">, { turns }: RunState, { kind }: Phase): boolean {
  return isRecorded(input, { kind: "model", phase: kind, turn: turns + 1, attempt: 0 });
}

/** Begins a turn: earlier ones are over. The turn before an output phase is closed when the work continues. */
function openTurn(steps: LoopInput["steps"], state: RunState, { kind, contents }: Phase): void {
  const { openTurns } = state;
  if (kind === "work") {
    for (const turn of describeTurns(state)) steps.closeTurn?.(turn);
    openTurns.length = 0;
  }
  openTurns.push({ turn: state.turns + 1, phase: kind, contents, from: contents.length, steps: [], calls: [] });
}

/** The budget of the session's owner, if it leaves no room for another turn. The end of the run records the verdict. */
async function ownerLimit(
  { steps, signal }: LoopInput,
  ask: AskOwnerBudget,
  state: RunState,
  phase: Phase,
): Promise<LimitReached | undefined> {
  // Also for a run that is only compared: its log does not have the budget.
  if (isBegun({ steps }, state, phase)) return undefined;
  const { maxCost: limit, spent: used } = await abortable(Promise.resolve(ask()), signal);
  state.maxCost = state.cost + limit - used;
  return used < limit ? undefined : { name: "cost", limit, used, scope: "owner" };
}

/** A guardrail ends the run in the middle of a turn. */
async function stopTurn({ emit }: LoopInput, turn: number, guardrail: GuardrailStop): Promise<Ending> {
  if (emit !== undefined) await emit({ type: "turn-end", turn });
  return { stopReason: "guardrail", guardrail };
}

/** Called when the run would finish: later messages are too late. The output phase takes no new messages. */
async function steeringWaits({ steering }: LoopInput, state: RunState, phase: Phase): Promise<boolean> {
  return phase.kind === "work" && (await steering?.waits?.(state.steeringCursor)) === true;
}
