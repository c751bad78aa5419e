import type { Json } from "../internal/json.ts";

/** Where a log is cut: before a turn of a run. */
export interface CutPoint {
  /** @defaultValue the last one */
  readonly runId?: string | undefined;
  /** From 1: this turn and all that follow are taken away. Without it, the whole run is. */
  readonly turn?: number | undefined;
}

/** A log up to a turn. */
export interface CutLog {
  /** Of a session of its own: `resume({ anyLoopVersion: true })` goes on from there, or `send` when `message` is set. */
  readonly entries: readonly Json[];
  /** The message of the run that was taken away as a whole. */
  readonly message?: readonly Json[] | undefined;
}

/** @throws {RangeError} For a run or a turn that the log does not have. */
export declare function cutLog(log: readonly Json[], at: CutPoint): CutLog;
