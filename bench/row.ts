/** How a row's figures relate to the baseline: a factor, a difference, or not at all. */
export type Relation = "times" | "beyond" | "own";

/** A performance target. */
export interface Target {
  readonly driver: string;
  /** Largest allowed figure, in the row's relation: a factor, a difference or the value itself. */
  readonly atMost: number;
}

/** One measure of one driver. */
export interface Figure {
  readonly driver: string;
  /** Median of the samples, in the row's unit. */
  readonly value: number;
  /** Relative to the baseline, according to the row's relation; the median of the rounds. */
  readonly figure: number;
  /** Minimum and maximum of the rounds. */
  readonly range: readonly [number, number];
}

/** One line of the report. */
export interface Row {
  readonly id: string;
  readonly label: string;
  readonly unit: string;
  readonly relation: Relation;
  /** The driver that figures are compared with. */
  readonly baseline: string;
  readonly targets: readonly Target[];
  /** Title of the table that has the row, if that is not the one of all drivers. */
  readonly table?: string | undefined;
  readonly figures: readonly Figure[];
}

/** A driver without figures in some rows. */
export interface Absence {
  readonly rows: readonly string[];
  readonly driver: string;
  readonly reason: string;
  /** Whether it should have worked: then the command fails. */
  readonly isFailure: boolean;
}

/** Result of a measurement. */
export interface Measured {
  readonly rows: readonly Row[];
  readonly absences: readonly Absence[];
}

/**
 * Computes one driver's figure from its samples.
 *
 * @param base - The baseline's samples, from the same rounds; absent for the baseline itself and for absolute figures.
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

/** The middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
