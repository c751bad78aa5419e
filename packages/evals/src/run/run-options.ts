import type { SessionStore } from "@pollux/core";
import type { Baseline } from "../gate/baseline.ts";
import type { CodeVersion } from "../report/eval-run.ts";
import type { World } from "../worlds/world.ts";

/** Options of `runEval(suite, options)`, which gives a run for each variant of the suite, or one. */
export interface RunEvalOptions {
  /** Keeps trials: the same ones are read again, and an aborted run goes on. @defaultValue one in memory */
  readonly store?: SessionStore | undefined;
  /** Of the agent's code. @defaultValue `codeVersion(folder)` */
  readonly version?: CodeVersion | undefined;
  /** Of the suite's file, for relative paths. @defaultValue the working directory */
  readonly folder?: string | undefined;
  /** Only these cases; a name that no case has is an error. @defaultValue all */
  readonly filter?:
    | { readonly ids?: readonly string[] | undefined; readonly tags?: readonly string[] | undefined }
    | undefined;
  /** Only these variants. @defaultValue the suite's */
  readonly variants?: readonly string[] | undefined;
  /** @defaultValue the suite's, each case's own */
  readonly world?: World | undefined;
  /** @defaultValue the suite's, or 5; three times as many, or `baselineTrials`, with `isBaseline` */
  readonly trials?: number | undefined;
  /** Of what becomes a baseline. @defaultValue false */
  readonly isBaseline?: boolean | undefined;
  /** Trials of earlier runs are not read. @defaultValue false */
  readonly fresh?: boolean | undefined;
  /** Begins nothing more once so much was spent. @defaultValue the suite's `gate.budget` */
  readonly maxCost?: number | undefined;
  /** @defaultValue the suite's, or 4 */
  readonly concurrency?: number | undefined;
  /** What a run is compared with, by its variant. @defaultValue nothing */
  readonly baseline?: ((variant: string | undefined) => Baseline | undefined) | undefined;
  /** Ends it: it rejects with the signal's reason, and what is over is kept. */
  readonly signal?: AbortSignal | undefined;
  /** Called when a trial begins or ends; must not throw. */
  readonly onProgress?: ((progress: EvalProgress) => void) | undefined;
}

/** How a {@link RunEvalOptions | run} stands. */
export interface EvalProgress {
  /** Cases, and those of which all trials are over. */
  readonly cases: { readonly total: number; readonly done: number };
  /** Trials of all variants, those that are over, and those of them that were read from the store. */
  readonly trials: { readonly total: number; readonly done: number; readonly reused: number };
  /** So far, of agents, judges and users, in the unit of the prices. */
  readonly cost: number;
  /** Time left at the rate so far; absent while it is not known. */
  readonly leftMs?: number | undefined;
}
