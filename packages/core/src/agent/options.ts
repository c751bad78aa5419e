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

/** Schema of the answer: zod 4, zod 3, a raw JSON Schema (whose output is `unknown`), or `"json"` for any JSON. */
export type OutputSchema = StandardSchema | JsonSchema | "json";

/** Output type of a schema; `undefined` without one. */
export type OutputOf<Schema> = Schema extends undefined
  ? undefined
  : Schema extends StandardSchema<infer Output>
    ? Output
    : unknown;

/** Options of an agent that a run can override. */
export interface SharedOptions extends ModelSettings {
  /** The system instruction. */
  readonly instructions?: string | undefined;
  /**
   * Functions and built-in tools, freely mixed. Pass a function for tools that come and go, such as those of an MCP server: it is
   * called when a run starts, and the run keeps its result.
   */
  readonly tools?: readonly AnyTool[] | (() => readonly AnyTool[]) | undefined;
  /** Whether the model may or must call functions in the first turn. @defaultValue "auto" */
  readonly toolChoice?: ToolChoice | undefined;
  /** Limits of a run. @defaultValue 25 turns, 200 function calls */
  readonly limits?: Limits | undefined;
  /**
   * Shortens a history that gets too long for the model: a summary by the model replaces its oldest messages.
   * @defaultValue false: the service rejects a prompt that is too long
   */
  readonly compaction?: CompactionOptions | false | undefined;
  /** Prices of the model, for `result.cost` and `limits.cost`. @defaultValue none */
  readonly prices?: PriceTable | undefined;
  /** Rules that end a run after a turn. @defaultValue none */
  readonly stopWhen?: readonly StopRule[] | undefined;
  readonly hooks?: Hooks | undefined;
  /**
   * Decides on calls of tools with `needsApproval`, while the run waits. Without it the run ends with `needs-approval`.
   * @defaultValue none
   */
  readonly approve?: Approve | undefined;
}

/** Options of an agent. */
export interface AgentOptions extends SharedOptions {
  /** A model id, or a model made by `gemini()`. */
  readonly model: string | Model;
  /** Endpoint of requests when `model` is an id. @defaultValue from the environment: `GOOGLE_API_KEY`, `GEMINI_API_KEY`, `COMETAPI_KEY` */
  readonly endpoint?: Endpoint | undefined;
  /** Request limits and queues to share with other agents, when `model` is an id. @defaultValue the agent's own, without limits */
  readonly traffic?: Traffic | undefined;
  /** Name of the agent in logs and as a tool. @defaultValue "agent" */
  readonly name?: string | undefined;
  /** Function calls of one turn that run concurrently. @defaultValue 8 */
  readonly concurrency?: number | undefined;
  /** Consecutive turns with the same calls and results that end a run; `Infinity` for no limit. @defaultValue 3 */
  readonly maxRepeats?: number | undefined;
  /** How often a broken stream is restarted, per request. @defaultValue 2 */
  readonly maxRestarts?: number | undefined;
  /**
   * Requests per turn, for any reason: a retry, the next piece of a long answer, a changed request, a broken stream, an unusable
   * answer. Once they are used up, the run fails with a `RequestLimitError` or ends with the answer it has. @defaultValue 100
   */
  readonly maxRequestsPerTurn?: number | undefined;
  /** Observe everything the agent's runs do, for traces and metrics. @defaultValue none */
  readonly observers?: readonly Observer[] | undefined;
  /** A pino logger or anything shaped like one. @defaultValue silent, except for the first error of each tool; `POLLUX_LOG` names another level */
  readonly logger?: Logger | undefined;
}

/** Options of one run; they override the agent's. */
export interface RunOptions<Schema extends OutputSchema | undefined = undefined> extends SharedOptions {
  /**
   * Schema of the answer. With tools that search, the model first answers in prose (so that citations survive) and then converts
   * the answer to the schema. @defaultValue none: the answer is text
   */
  readonly output?: Schema | undefined;
  /** Aborts the run: requests and tools in progress are aborted, and `run` rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Id of the run, in events and idempotency keys. @defaultValue a random UUID */
  readonly runId?: string | undefined;
  /** The step of another run that contains this one, for observers. An agent tool sets it. @defaultValue none */
  readonly parent?: ParentStep | undefined;
  /**
   * Executes the run's operations, to run the loop on a durable engine. Called once, when the run is opened.
   * @defaultValue executes in process; in a session, through its journal
   */
  readonly steps?: StepsFactory | undefined;
}

/** Makes the steps of one run. `emit` receives live events; absent when nobody reads them. */
export type StepsFactory = (run: {
  readonly runId: string;
  readonly signal: AbortSignal;
  readonly emit: Emit | undefined;
}) => Steps<RunEvent>;

/** Options of counting tokens. */
export interface CountTokensOptions extends SharedOptions {
  /** Counted if the request includes the schema. */
  readonly output?: OutputSchema | undefined;
  /** Aborting it ends the call. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of a run, whatever its output. */
export type AnyRunOptions = RunOptions<OutputSchema | undefined>;

/** Names of all settings; adding a setting without listing it here does not compile. */
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

/** The model settings among an agent's or a run's options; unset ones are absent. */
export function pickSettings(options: ModelSettings): ModelSettings {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => Object.hasOwn(NAMES, name) && value !== undefined),
  );
}
