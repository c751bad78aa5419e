import type { PriceTable } from "../model/prices.ts";
import type { Approve } from "./approval.ts";

/** What is left of a run's limits; one that is absent does not bound it. 0 when it is used up. */
export interface RemainingLimits {
  readonly inputTokens?: number | undefined;
  /** Visible output and thoughts. */
  readonly outputTokens?: number | undefined;
  readonly totalTokens?: number | undefined;
  readonly wallTimeMs?: number | undefined;
  /** In the unit of {@link ParentRun.prices}. */
  readonly cost?: number | undefined;
}

/** What the run that made a call lends to a run inside the call. */
export interface ParentRun {
  /**
   * What is left when it is read: what runs inside other calls have reported by then is counted. Runs that go side by side
   * each see what is left when they begin.
   */
  readonly remaining: RemainingLimits;
  readonly prices?: PriceTable | undefined;
  /** Asks whoever agrees to the calls of the calling run. */
  readonly approve?: Approve | undefined;
}
