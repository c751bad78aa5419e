import type { Content } from "../wire/content.ts";

/** Where a run hears what is said to it while it is going. */
export interface Steering {
  /** Messages after place `after`, or `undefined` when there are none. Called inside model steps only. */
  take(after: number): Promise<Steered | undefined>;
  /**
   * Whether there is something after place `after`. Called between rounds, before a run would finish; what it says has to be the
   * same when the run is run again. Absent: a run finishes without asking.
   */
  waits?(after: number): Promise<boolean>;
}

/** Messages for a run, and the place up to which they were read. */
export interface Steered {
  readonly contents: readonly Content[];
  readonly upTo: number;
}
