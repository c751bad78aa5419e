/** What a row's figures are: a factor of the base line's, so much more than the base line's, or figures of their own. */
export type Relation = "times" | "beyond" | "own";

/** A number we hold ourselves to. */
export interface Target {
  readonly driver: string;
  /** Of the figure as the row relates it: a factor, a difference or the value itself. */
  readonly atMost: number;
}

/** One measure of one driver. */
export interface Figure {
  readonly driver: string;
  /** Median of the samples, in the row's unit. */
  readonly value: number;
  /** As the row relates it to its base line; medians of each round's own relation. */
  readonly figure: number;
  /** The least and the greatest of the rounds. */
  readonly range: readonly [number, number];
}

/** One line of the report. */
export interface Row {
  readonly id: string;
  readonly label: string;
  readonly unit: string;
  readonly relation: Relation;
  /** The driver that figures are related to. */
  readonly baseline: string;
  readonly targets: readonly Target[];
  readonly figures: readonly Figure[];
}

/** A driver whose figures are not shown in some rows. */
export interface Absence {
  readonly rows: readonly string[];
  readonly driver: string;
  readonly reason: string;
  /** Whether it ought to have worked: it then fails the command. */
  readonly isFailure: boolean;
}

/** What a measurement gives. */
export interface Measured {
  readonly rows: readonly Row[];
  readonly absences: readonly Absence[];
}

/**
 * One driver's figure from its samples.
 *
 * @param base - The base line's samples, of the same rounds; absent for the base line itself and for figures of their own.
 */
export function figureOf(
  driver: string,
  samples: readonly number[],
  relation: Relation,
  base: readonly number[] = samples,
): Figure {
  const related = samples.map((value, round) => {
    const other = base[round] ?? value;
    if (relation === "own") return value;
    return relation === "times" ? value / other : value - other;
  });
  return {
    driver,
    value: median(samples),
    figure: median(related),
    range: [Math.min(...related), Math.max(...related)],
  };
}

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
