import type { StepRow, TurnRow } from "../../../src/inspection/inspection.ts";

/** Places of a turn's steps on a line, where time in which nothing went on is cut short. */
export interface TurnAxis {
  /** Length of the line: time in which something went on, and a little for each pause. */
  readonly length: number;
  readonly bars: ReadonlyMap<StepRow, Bar>;
  readonly pauses: readonly Pause[];
}

/** A step on the line. */
export interface Bar {
  readonly start: number;
  readonly length: number;
}

/** Time in which nothing went on, such as while a person was asked. */
export interface Pause {
  readonly start: number;
  readonly length: number;
  readonly ms: number;
}

/** A pause longer than this is cut to it. */
const LONGEST_PAUSE_MS = 300;

/** Lays out a turn's steps. Steps at the same time stay at the same time. */
export function turnAxis({ steps, startedAt }: Pick<TurnRow, "steps" | "startedAt">): TurnAxis {
  const timed = steps
    .filter(({ at }) => Number.isFinite(at))
    .toSorted((a, b) => a.at - b.at || (a.ms ?? 0) - (b.ms ?? 0));
  const bars = new Map<StepRow, Bar>();
  const pauses: Pause[] = [];
  /** Real time up to which the line reaches, and where that is on it. */
  let [until, place] = [Math.min(startedAt, timed[0]?.at ?? startedAt), 0];
  for (const step of timed) {
    const gap = step.at - until;
    if (gap > 0) {
      const length = Math.min(gap, LONGEST_PAUSE_MS);
      if (length < gap) pauses.push({ start: place, length, ms: gap });
      place += length;
      until = step.at;
    }
    const start = place - (until - step.at);
    bars.set(step, { start, length: step.ms ?? 0 });
    const end = step.at + (step.ms ?? 0);
    if (end > until) {
      place += end - until;
      until = end;
    }
  }
  return { length: place, bars, pauses };
}

/** A length that most turns of a run fit in, so that their bars can be compared. */
export function commonLength(axes: readonly TurnAxis[]): number {
  const lengths = axes.map(({ length }) => length).toSorted((a, b) => a - b);
  const longest = lengths.at(-1) ?? 0;
  const most = lengths[Math.ceil(0.95 * (lengths.length - 1))] ?? 0;
  return Math.max(1, longest > 3 * most ? 1.5 * most : longest);
}
