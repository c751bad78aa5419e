import type { Steps } from "../durable/steps.ts";
import type { StandardSchema } from "../tool/schema/from-zod.ts";
import type { Logger } from "../logging/logger.ts";
import type { CompactionOptions } from "../loop/turn/compaction.ts";
import type { Emit, RunEvent } from "../loop/events.ts";
import type { Hooks, ToolChoice } from "../loop/loop-input.ts";
import type { Limits, StopRule } from "../loop/limits.ts";
import type { Observer } from "../loop/observer.ts";
import type { Model } from "../model/model.ts";
import type { PriceTable } from "../model/usage.ts";
import type { ModelSettings } from "../model/settings.ts";
import type { AnyTool, Approve, ParentStep } from "../tool/tool.ts";
import type { JsonSchema } from "../wire/types/declaration.ts";
import type { Endpoint } from "../wire/endpoints/endpoint.ts";
import type { Traffic } from "../wire/limiter/traffic.ts";

/** What the answer has to be: a zod 4 or zod 3 schema, a raw JSON Schema (whose output is `unknown`), or `"json"` for any JSON. */
export type OutputSchema = StandardSchema | JsonSchema | "json";

/** What an output schema gives; `undefined` without one. */
export type OutputOf<Schema> = Schema extends undefined
  ? undefined
  : Schema extends StandardSchema<infer Output>
    ? Output
    : unknown;

/** What can be said for an agent, and said otherwise for one run. */
export interface SharedOptions extends ModelSettings {
  /** The system instruction. */
  readonly instructions?: string | undefined;
  /**
   * Functions and built-in tools, freely mixed. A function is asked when a run begins, for tools that come and go, such as
   * those of an MCP server; the run keeps what it was given.
   */
  readonly tools?: readonly AnyTool[] | (() => readonly AnyTool[]) | undefined;
  /** How free the model is in the first turn. @defaultValue "auto" */
  readonly toolChoice?: ToolChoice | undefined;
  /** Bounds of a run. @defaultValue 25 turns, 200 function calls */
  readonly limits?: Limits | undefined;
  /**
   * Cuts a history that gets too long for the model: its oldest messages are replaced by a summary that the model writes.
   * @defaultValue false: a prompt that is too long is refused by the service
   */
  readonly compaction?: CompactionOptions | false | undefined;
  /** What the model costs, for `result.cost` and `limits.cost`. @defaultValue none */
  readonly prices?: PriceTable | undefined;
  /** Rules that end a run after a turn. @defaultValue none */
  readonly stopWhen?: readonly StopRule[] | undefined;
  readonly hooks?: Hooks | undefined;
  /**
   * Asked about calls of tools with `needsApproval`, while the run waits. Without it the run ends with `needs-approval`.
   * @defaultValue none
   */
  readonly approve?: Approve | undefined;
}

/** How an agent is made. */
export interface AgentOptions extends SharedOptions {
  /** A model id, or a model made by `gemini()`. */
  readonly model: string | Model;
  /** Where requests go when `model` is an id. @defaultValue from the environment: `GOOGLE_API_KEY`, `GEMINI_API_KEY`, `COMETAPI_KEY` */
  readonly endpoint?: Endpoint | undefined;
  /** Limits and waits shared with other agents, when `model` is an id. @defaultValue one of the agent's own, without a limit */
  readonly traffic?: Traffic | undefined;
  /** Name of the agent in logs and as a tool. @defaultValue "agent" */
  readonly name?: string | undefined;
  /** Function calls of one turn that run side by side. @defaultValue 8 */
  readonly concurrency?: number | undefined;
  /** Turns in a row with the same calls and the same results that end a run; `Infinity` never does. @defaultValue 3 */
  readonly maxRepeats?: number | undefined;
  /** How often a stream that broke in the middle is begun again, per request. @defaultValue 2 */
  readonly maxRestarts?: number | undefined;
  /**
   * Requests that one turn may send, whatever asks again: a retry, the next piece of a long answer, a changed request, a broken
   * stream, an answer that cannot be used. When they are spent the run fails with a `RequestLimitError`, or ends with the answer it has.
   *
   * @defaultValue 100
   */
  readonly maxRequestsPerTurn?: number | undefined;
  /** See everything that the agent's runs do, for traces and metrics. @defaultValue none */
  readonly observers?: readonly Observer[] | undefined;
  /** A pino logger or anything shaped like one. @defaultValue silent, unless `POLLUX_LOG` names a level */
  readonly logger?: Logger | undefined;
}

/** How one run differs from the agent's other runs. */
export interface RunOptions<Schema extends OutputSchema | undefined = undefined> extends SharedOptions {
  /**
   * What the answer has to fit. With tools that search, the answer is first written as prose (so that citations survive) and then
   * put into the schema. @defaultValue none: the answer is text
   */
  readonly output?: Schema | undefined;
  /** Aborts the run: what is under way ends, and `run` rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Id of the run, in events and idempotency keys. @defaultValue a random UUID */
  readonly runId?: string | undefined;
  /** The step of another run inside which this one is made, for observers. An agent tool says it by itself. @defaultValue none */
  readonly parent?: ParentStep | undefined;
  /**
   * Where the run's operations happen: for those who run the loop on a durable engine. Called once, when the run is opened.
   * @defaultValue here and now; in a session, its journal
   */
  readonly steps?: StepsFactory | undefined;
}

/** Makes the steps of one run. `emit` takes live events, and is absent when nobody reads them. */
export type StepsFactory = (run: {
  readonly runId: string;
  readonly signal: AbortSignal;
  readonly emit: Emit | undefined;
}) => Steps<RunEvent>;

/** What a counted request holds besides its input. */
export interface CountTokensOptions extends SharedOptions {
  /** The schema counts where it goes along with the request. */
  readonly output?: OutputSchema | undefined;
  /** Aborting it ends the call. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of a run, whatever its output. */
export type AnyRunOptions = RunOptions<OutputSchema | undefined>;

/** The names of all settings; a new one that is not listed here does not compile. */
const NAMES: { readonly [Name in keyof Required<ModelSettings>]: true } = {
  thinking: true,
  includeThoughts: true,
  temperature: true,
  topP: true,
  topK: true,
  maxOutputTokens: true,
  stopSequences: true,
  seed: true,
  presencePenalty: true,
  frequencyPenalty: true,
  responseModalities: true,
  imageConfig: true,
  speechConfig: true,
  mediaResolution: true,
  safetySettings: true,
  location: true,
  serviceTier: true,
  cachedContent: true,
  labels: true,
  candidateCount: true,
  responseLogprobs: true,
  logprobs: true,
  streamFunctionCallArguments: true,
};

/** The model settings among an agent's or a run's options; those that were not given are absent. */
export function pickSettings(options: ModelSettings): ModelSettings {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => Object.hasOwn(NAMES, name) && value !== undefined),
  );
}
