import type { ClosedTurn } from "../../durable/closed-turn.ts";
import type { RunState } from "../run-state.ts";
import { closeOpenCalls } from "../transcript.ts";

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
