import { NO_USAGE, type Usage } from "../model/usage.ts";
import type { Compaction } from "./compaction.ts";
import type { Content } from "../wire/content.ts";

/** What a run had done when it failed or was aborted. */
export interface RunSoFar {
  readonly runId: string;
  /** Everything that can be kept: ends on no open call (cut-off calls are answered as cancelled), so it can be sent again. */
  readonly contents: readonly Content[];
  /** What is sent in place of the oldest contents; absent while all are sent. */
  readonly compaction?: Compaction | undefined;
  /** Turns that were finished. */
  readonly turns: number;
  /** What was paid for. */
  readonly usage: Usage;
  /** What it cost, in the unit of the price table; absent without one. */
  readonly cost?: number | undefined;
}

/** Of a run that has not begun. */
export const NOTHING_YET: RunSoFar = { runId: "", contents: [], turns: 0, usage: NO_USAGE };

const RUNS = Symbol.for("pollux.runSoFar");

/**
 * What the run that threw this error had done by then, or `undefined` when the error is not from a run.
 *
 * Works for every error a run throws, the reason of your own abort signal included (when that is an object).
 * To go on, hand `contents` and the rest of your question to another run.
 */
export function runSoFar(error: unknown): RunSoFar | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  return (error as { readonly [RUNS]?: RunSoFar })[RUNS];
}

/** Hangs the run's state on its error, out of sight of loggers and `JSON.stringify`. A frozen error is left alone. */
export function attachRunSoFar(error: unknown, run: RunSoFar): void {
  if (typeof error !== "object" || error === null || !Object.isExtensible(error)) return;
  Object.defineProperty(error, RUNS, { value: run, enumerable: false, configurable: true, writable: true });
}
