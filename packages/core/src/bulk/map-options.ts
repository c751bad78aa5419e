import type { OutputSchema, RunOptions, SessionOptions } from "../agent/options.ts";
import type { RunInput } from "../agent/run-input.ts";
import { namesIn, type OptionNames } from "../internal/option-names.ts";
import type { SessionStore } from "../session/store/store.ts";
import type { MapProgress } from "./map-progress.ts";

/** Options of `map()`. */
export interface MapOptions<Input, Context = unknown, Own extends OutputSchema | undefined = undefined> {
  /** The message of an input's run. @defaultValue the input itself */
  readonly message?: ((input: Input, index: number) => RunInput | Promise<RunInput>) | undefined;
  /**
   * Identifies an input: the id of its session is `${name}/${key}`. With a store, the same key gets the stored result, even if the input
   * has changed. Required with a store. @defaultValue the position of the input
   */
  readonly key?: ((input: Input, index: number) => string) | undefined;
  /** Identifies the work as a whole, without `/`. Another name starts over, such as after a change of the instructions. @defaultValue "map" */
  readonly name?: string | undefined;
  /**
   * Where runs are kept. After Ctrl-C or a crash, the same call continues: finished results are read, runs that were cut off continue, and
   * nothing is paid twice. @defaultValue none: in memory, while an input is in progress
   */
  readonly store?: SessionStore | undefined;
  /** Inputs in progress at the same time. @defaultValue 8 */
  readonly concurrency?: number | undefined;
  /** Yields items in input order; a slow one delays at most four times `concurrency` others. @defaultValue false: as they end */
  readonly ordered?: boolean | undefined;
  /**
   * What all runs together may cost, including runs of earlier processes with the same store, in the unit of the agent's `prices`, which are
   * required. A run does not begin if it would exceed this at the mean cost so far; runs in progress end with `limit` before their next turn.
   * @defaultValue none
   */
  readonly maxCost?: number | undefined;
  /**
   * How often an input is tried again: after an ending that another answer may avoid (`invalid-output`, `truncated`, `empty`, `blocked`
   * and the like), and after an error that may pass, in addition to the retries of each request. @defaultValue 1
   */
  readonly retries?: number | undefined;
  /** Number of inputs, if they are not a list. @defaultValue the length of a list */
  readonly total?: number | undefined;
  /** Options of each run; its `output` types the items. */
  readonly run?:
    | ItemRunOptions<Own, Context>
    | ((input: Input, index: number) => ItemRunOptions<Own, Context>)
    | undefined;
  /** Options of each session: its owner, metadata and limits. */
  readonly session?: Pick<SessionOptions, "owner" | "metadata" | "limits"> | undefined;
  /** Called when an input begins or ends; must not throw. `formatProgress()` formats the progress as a line. */
  readonly onProgress?: ((progress: MapProgress) => void) | undefined;
  /** Ends the work: runs in progress are aborted, and can be continued from the store. */
  readonly signal?: AbortSignal | undefined;
}

/** {@link MapOptions} with any output and any context. */
export type AnyMapOptions<Input> = MapOptions<Input, unknown, OutputSchema | undefined>;

type ItemRunOptions<Own extends OutputSchema | undefined, Context> = Omit<
  RunOptions<Own, Context>,
  "signal" | "runId" | "parent" | "read" | "steps"
>;

export const MAP_OPTIONS: OptionNames<MapOptions<unknown>> = namesIn(
  "message key name store concurrency ordered maxCost retries total run session onProgress signal",
);
