import type { StepRow, TurnRow } from "../../../src/inspection/inspection.ts";

/** Positions of a turn's steps on a line with shortened pauses. */
export interface TurnAxis {
  /** Length of the line: time of all steps, plus the shortened pauses. */
  readonly length: number;
  readonly bars: ReadonlyMap<StepRow, Bar>;
  readonly pauses: readonly Pause[];
}

/** A step on the line. */
export interface Bar {
  readonly start: number;
  readonly length: number;
}

/** Time without a step, such as while a run waits for a person. */
export interface Pause {
  readonly start: number;
  readonly length: number;
  readonly ms: number;
}

/** Longest pause on the line. */
const LONGEST_PAUSE_MS = 300;

/** Lays out a turn's steps. Parallel steps stay parallel. */
export function turnAxis({ steps, startedAt }: Pick<TurnRow, "steps" | "startedAt">): TurnAxis {
  const timed = steps
    .filter(({ at }) => Number.isFinite(at))
    .toSorted((a, b) => a.at - b.at || (a.ms ?? 0) - (b.ms ?? 0));
  const bars = new Map<StepRow, Bar>();
  const pauses: Pause[] = [];
  /** The real time at the end of the line so far, and its position on the line. */
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

/** A length that fits most turns of a run, so that their bars have one scale. */
export function commonLength(axes: readonly TurnAxis[]): number {
  const lengths = axes.map(({ length }) => length).toSorted((a, b) => a - b);
  const longest = lengths.at(-1) ?? 0;
  const most = lengths[Math.ceil(0.95 * (lengths.length - 1))] ?? 0;
  return Math.max(1, longest > 3 * most ? 1.5 * most : longest);
}
