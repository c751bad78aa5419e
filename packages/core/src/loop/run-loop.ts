import { classifyFinish } from "../model/finish-reason.ts";
import { visibleText } from "../model/response/parts.ts";
import { TRUNCATED, UNANSWERED } from "../tool/model-texts.ts";
import type { PendingCall } from "../tool/tool.ts";
import { attachGroundingResponses, buildOutcome } from "./build-result.ts";
import { answerCalls } from "./calls/answer-calls.ts";
import { firstLimit, RepeatGuard, WallClock } from "./limits.ts";
import { runEnd } from "./events.ts";
import type { GuardrailStop } from "./guardrails.ts";
import type { LoopInput } from "./loop-input.ts";
import { attachRunSoFar, type RunResult } from "./result.ts";
import type { RunState } from "./run-state.ts";
import { closing } from "./transcript.ts";
import { type Ending, classifyEnding, keeps, MAX_RECOVERIES } from "./turn/classify-answer.ts";
import { checkRunInput } from "./turn/check-guardrails.ts";
import { compactWhenFull } from "./turn/compact-history.ts";
import { modelTurn, outputPhase, type Phase, workPhase } from "./turn/model-turn.ts";

/** The only loop. Every public way to run an agent calls this function. */
export async function runLoop(input: LoopInput, state: RunState): Promise<RunResult<unknown>> {
  const { wallTimeMs } = input.limits;
  const timed = wallTimeMs === undefined ? input : { ...input, clock: new WallClock(wallTimeMs, () => state.activeMs) };
  try {
    if (input.emit !== undefined) await input.emit({ type: "run-start", ...input.identity, model: input.model.id });
    for (;;) {
      let ending = await runTurns(timed, state, workPhase(input, state));
      const answer = ending.stopReason === "finished" ? state.lastResponse : undefined;
      if (ending.stopReason === "finished" && ending.endedBy === undefined && input.output?.native === false)
        ending = await runTurns(timed, state, outputPhase(state, input.output));
      // TypeScript loses the union in a spread; each ending lacks exactly what RunOutcome has.
      const result = { ...buildOutcome(input, state, answer ?? state.lastResponse), ...ending } as RunResult<unknown>;
      attachGroundingResponses(result, state.responses);
      if ((await input.beforeEnd?.(result)) === "more-was-said") continue;
      if (input.emit !== undefined) await input.emit({ type: "run-end", result: runEnd(result) });
      return result;
    }
  } catch (error) {
    attachRunSoFar(error, state.soFar());
    throw error;
  }
}

async function runTurns(input: LoopInput, state: RunState, phase: Phase): Promise<Ending> {
  const guard = new RepeatGuard(input.maxRepeats);
  let cutOffTurns = 0;
  for (let isFirst = true; ; isFirst = false) {
    const limit = firstLimit(input, state.spent());
    if (limit !== undefined) {
      const interrupted = state.interrupted();
      return { stopReason: "limit", limit, ...(interrupted !== undefined && { interrupted }) };
    }
    input.signal.throwIfAborted();

    const turn = ++state.turns;
    if (input.emit !== undefined) await input.emit({ type: "turn-start", turn });
    if (state.unchecked.length > 0) {
      const guardrail = await checkRunInput(input, state);
      if (guardrail === "wall-time") {
        state.useUpWallTime(input.limits);
        continue;
      }
      if (guardrail !== undefined) return await stopTurn(input, turn, guardrail);
    }
    if (phase.kind === "work" && input.compaction !== undefined) await compactWhenFull(input, state);
    const answer = await modelTurn(input, state, phase, isFirst);
    if (answer === "wall-time") continue;
    if ("guardrail" in answer) return await stopTurn(input, turn, answer.guardrail);
    const { response, calls } = answer;

    const ending = classifyEnding(answer);
    if (keeps(ending, response)) phase.contents.push(response.content);
    if (ending !== undefined) {
      if (input.emit !== undefined) await input.emit({ type: "turn-end", turn });
      if (ending.stopReason === "finished" && (answer.steeringWaits || (await steeringWaits(input, state, phase))))
        continue;
      return ending;
    }

    const isCutOff = classifyFinish(response.finishReason) === "truncated";
    const callInput = answer.toolset === undefined ? input : { ...input, toolset: answer.toolset };
    const answered = await answerCalls(callInput, state, calls, isCutOff ? TRUNCATED : undefined);
    if (answered === undefined) phase.contents.push(...closing(phase.contents, state.answeredParts(), UNANSWERED));
    else phase.contents.push(...answered.contents);
    if (input.emit !== undefined) await input.emit({ type: "turn-end", turn });
    if (answered === undefined) return pendingEnding(state.pending);
    input.signal.throwIfAborted();
    if (answered.ending !== undefined && !(await steeringWaits(input, state, phase)))
      return { stopReason: "finished", ...answered.ending };

    cutOffTurns = isCutOff ? cutOffTurns + 1 : 0;
    if (cutOffTurns > MAX_RECOVERIES["truncated-call"]) return { stopReason: "truncated" };
    if (guard.addTurn(calls, answered.responses)) return { stopReason: "repeated-calls" };
    if (input.stopWhen.length > 0) {
      const { toolCalls, usage } = state;
      const progress = { turns: turn, toolCalls, usage, lastCalls: calls, lastText: visibleText(response.content) };
      if (input.stopWhen.some((rule) => rule(progress))) return { stopReason: "stopped" };
    }
  }
}

/** A guardrail ends the run in the middle of a turn. */
async function stopTurn({ emit }: LoopInput, turn: number, guardrail: GuardrailStop): Promise<Ending> {
  if (emit !== undefined) await emit({ type: "turn-end", turn });
  return { stopReason: "guardrail", guardrail };
}

/** Called when the run would finish: what arrives later is too late. The output phase takes no new messages. */
async function steeringWaits({ steering }: LoopInput, state: RunState, phase: Phase): Promise<boolean> {
  return phase.kind === "work" && (await steering?.waits?.(state.steeringCursor)) === true;
}

function pendingEnding(pending: readonly PendingCall[]): Ending {
  const needsApproval = pending.some(({ question }) => question === "approval");
  return { stopReason: needsApproval ? "needs-approval" : "needs-outcome", pending };
}
