import type { Round, Step } from "./round.ts";

/** The fewest steps of a round that still fail, found by removing one after the other. @param limit - Most rounds to play. */
export async function shrink(
  round: Round,
  fails: (round: Round) => Promise<boolean>,
  limit: number = 60,
): Promise<Round> {
  let { steps } = round;
  let played = 0;
  for (let index = steps.length - 1; index >= 0 && played < limit; index--) {
    const fewer = without(steps, index);
    played++;
    if (await fails({ ...round, steps: fewer })) steps = fewer;
  }
  return { ...round, steps };
}

/** Removes a step; later ones keep their times. */
function without(steps: readonly Step[], index: number): readonly Step[] {
  return steps.flatMap((step, place) => {
    if (place === index) return [];
    return place === index + 1 ? [{ ...step, afterMs: step.afterMs + (steps[index]?.afterMs ?? 0) }] : [step];
  });
}
