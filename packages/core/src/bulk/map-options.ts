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
   * Names an input's work: the id of its session is `${name}/${key}`. With a store, the same key gets the result that is there,
   * whatever its text is now. Required with a store. @defaultValue the position of the input
   */
  readonly key?: ((input: Input, index: number) => string) | undefined;
  /** Names the work as a whole. Another name begins anew, such as after a change of the instructions. Has no `/`. @defaultValue "map" */
  readonly name?: string | undefined;
  /**
   * Where runs are kept. After Ctrl-C or a crash, the same call goes on: what is finished is read, what was cut off is continued, and
   * nothing is paid twice. @defaultValue none: in memory, while an input is under way
   */
  readonly store?: SessionStore | undefined;
  /** Inputs under way at the same time. @defaultValue 8 */
  readonly concurrency?: number | undefined;
  /** Gives the items in the order of the inputs; a slow one holds back at most four times `concurrency` others. @defaultValue false: as they come */
  readonly ordered?: boolean | undefined;
  /**
   * What all runs together may cost, those of earlier processes with the same store included, in the unit of the agent's `prices`, which are
   * required. No run begins that would, at the mean so far, exceed it; runs under way end with `limit` before their next turn.
   * @defaultValue none
   */
  readonly maxCost?: number | undefined;
  /**
   * How often an input is tried again: after an ending that another answer may not have (`invalid-output`, `truncated`, `empty`, `blocked`
   * and their like), and after an error that may pass, in addition to the retries of each request. @defaultValue 1
   */
  readonly retries?: number | undefined;
  /** Number of inputs, if they are not a list. @defaultValue the length of a list */
  readonly total?: number | undefined;
  /** Options of each run; its `output` types the items. */
  readonly run?:
    | ItemRunOptions<Own, Context>
    | ((input: Input, index: number) => ItemRunOptions<Own, Context>)
    | undefined;
  /** Options of each session: whose it is, for lists. */
  readonly session?: Pick<SessionOptions, "owner" | "metadata" | "limits"> | undefined;
  /** Called when an input begins or ends; must not throw. `formatProgress()` makes it a line. */
  readonly onProgress?: ((progress: MapProgress) => void) | undefined;
  /** Ends it: runs under way are aborted, and can be continued from the store. */
  readonly signal?: AbortSignal | undefined;
}

/** {@link MapOptions}, whatever its output and its context. */
export type AnyMapOptions<Input> = MapOptions<Input, unknown, OutputSchema | undefined>;

type ItemRunOptions<Own extends OutputSchema | undefined, Context> = Omit<
  RunOptions<Own, Context>,
  "signal" | "runId" | "parent" | "read" | "steps"
>;

export const MAP_OPTIONS: OptionNames<MapOptions<unknown>> = namesIn(
  "message key name store concurrency ordered maxCost retries total run session onProgress signal",
);
