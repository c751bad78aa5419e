import type { ClosedTurn, LostUsage, TurnStep } from "../../durable/closed-turn.ts";
import type {
  CompactStepValue,
  InputCheckValue,
  ModelStepValue,
  OutputCheckValue,
  ModelStepRecord,
} from "../../durable/run-log.ts";
import { classifyFinish } from "../../model/finish-reason.ts";
import { openCallsIn } from "../../model/history/open-calls.ts";
import { needsCheck, readStop } from "../guardrails.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { closeOpenCalls } from "../transcript.ts";
import { withheld } from "./check-guardrails.ts";
import { addSummary } from "./compaction.ts";

/** What a fold needs for answers whose cost was not recorded. */
type Pricing = Pick<LoopInput, "prices" | "model">;

/**
 * Brings the state of a run to where it was after some turns: it has done what they say, and nothing is decided.
 *
 * @param state - Has the contents before the run and its checked message.
 * @param lost - What broken answers used, each time that the run failed.
 */
export function foldTurns(
  state: RunState,
  turns: readonly ClosedTurn[],
  lost: readonly LostUsage[],
  pricing: Pricing,
): void {
  for (const turn of turns) {
    for (const one of lost) if (one.turn > state.turns && one.turn <= turn.turn) state.addLost(one);
    foldTurn(state, turn, pricing);
  }
  for (const one of lost) if (one.turn > state.turns) state.addLost(one);
}

function foldTurn(state: RunState, { turn, phase, contents, steps, calls }: ClosedTurn, pricing: Pricing): void {
  state.turns = turn;
  let added = 0;
  const addContents = (end: number): void => {
    if (phase === undefined) state.contents.push(...contents.slice(added, end));
    added = end;
  };
  for (const [index, step] of steps.entries()) {
    const { place, value, at = 0, keepFrom, discarded } = step;
    if (place.kind === "compact") addSummary(state, value as CompactStepValue, keepFrom);
    else if (place.kind === "guard" && place.side === "input") {
      const { response, startedAt, endedAt } = value as InputCheckValue;
      state.addActiveTime(startedAt, endedAt);
      if (response !== undefined) state.addAnswer({ response, startedAt: endedAt, endedAt }, pricing);
    } else if (place.kind === "guard") {
      const { actions, response, startedAt, endedAt } = value as OutputCheckValue;
      state.addActiveTime(startedAt, endedAt);
      const { lastResponse: given } = state;
      const isStopped = readStop("output", actions) !== undefined;
      if (given !== undefined && (isStopped || response !== undefined)) state.replaceLast(response ?? withheld(given));
    } else if (place.kind === "model") {
      const asked = value as ModelStepRecord;
      if ("tooLong" in asked) continue;
      if (asked.steered !== undefined) state.steeringCursor = asked.steered.upTo;
      if ("stopped" in asked) continue;
      addContents(at + (asked.steered?.contents.length ?? 0));
      state.addAnswer(asked, pricing, phase);
      if (isUnchecked(steps, index)) state.replaceLast(withheld(asked.response));
      if (discarded !== undefined) state.discarded.add(asked.response);
    }
  }
  addContents(contents.length);
  state.toolCalls += calls.length;
  for (const call of calls) state.addCall(call);
  if (calls.length === 0 || state.lastResponse === undefined) return;
  const { content, finishReason } = state.lastResponse;
  state.cutOffTurns = classifyFinish(finishReason) === "truncated" ? state.cutOffTurns + 1 : 0;
  state.repeats.addTurn(
    openCallsIn([content]),
    calls.map(({ value }) => value.part),
  );
}

/** True for an answer that guardrails were to check and have not: nobody may see it. */
export function isUnchecked(steps: readonly TurnStep[], index: number): boolean {
  const { value, discarded } = steps[index] ?? {};
  // Of a model step.
  const { response, guarded } = value as ModelStepValue;
  if (guarded === undefined || findGuard(steps, index) !== undefined) return false;
  return (discarded === undefined || discarded === "invalid-output") && needsCheck(response.content);
}

/** What guardrails made of an answer. */
export function findGuard(steps: readonly TurnStep[], index: number): OutputCheckValue | undefined {
  const { place, value } = steps[index + 1] ?? {};
  return place?.kind === "guard" && place.side === "output" ? (value as OutputCheckValue) : undefined;
}

/** The turns of a run that are not closed, as they would be if it ended now. Calls without an answer are told as not run. */
export function describeTurns(state: RunState): readonly ClosedTurn[] {
  const { openTurns } = state;
  return openTurns.map(({ turn, phase, contents, from, steps, calls }, index): ClosedTurn => {
    const isLast = index === openTurns.length - 1;
    // The work may have gone on after an output phase.
    const next = openTurns.slice(index + 1).find((one) => one.contents === contents);
    const answered = isLast ? listAnswered(state) : [];
    return {
      turn,
      ...(phase === "output" && { phase }),
      contents: (isLast ? closeOpenCalls(contents, state.answeredParts()) : contents).slice(from, next?.from),
      steps: [...steps],
      calls: [...calls, ...answered],
    };
  });
}

/** The calls of the last turn that have an answer already. */
function listAnswered({ calls }: RunState): ClosedTurn["calls"] {
  return calls.flatMap(({ turn, callId, call, edited, current }) =>
    current.state === "answered" ? { turn, callId, call, ...(edited && { edited }), value: current.value } : [],
  );
}
