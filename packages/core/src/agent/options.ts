import type { Steps } from "../durable/steps.ts";
import type { ParsedBy, StandardSchema, WrittenFor } from "../tool/schema/standard-schema.ts";
import { namesIn, type OptionNames } from "../internal/option-names.ts";
import type { Logger } from "../logging/logger.ts";
import type { CompactionOptions } from "../loop/turn/compaction.ts";
import type { Emit, RunEvent } from "../loop/events.ts";
import type { Hooks } from "../loop/loop-input.ts";
import type { RunContext } from "../tool/run-context.ts";
import type { Guardrails } from "../loop/guardrails.ts";
import type { Limits, RunLimits, StopRule } from "../loop/limits.ts";
import type { Observer } from "../loop/observers/observer.ts";
import type { ToolChoice } from "../loop/turn/turn-info.ts";
import type { Model } from "../model/model.ts";
import type { PriceTable } from "../model/prices.ts";
import type { ModelSettings } from "../model/settings.ts";
import type { AnyTool, Approve, ParentStep, ToolFor } from "../tool/tool.ts";
import type { CallSignal } from "../wire/client-options.ts";
import type { ModelId } from "../wire/known-models.ts";
import type { JsonObject } from "../wire/types/content.ts";
import type { JsonSchema } from "../wire/types/declaration.ts";
import type { Endpoint } from "../wire/endpoints/endpoint.ts";

/**
 * Schema of the answer: zod 4, zod 3, any other schema that knows its JSON Schema, a raw JSON Schema (whose output is `unknown`), or
 * `"json"` for any JSON.
 */
export type OutputSchema = StandardSchema | (JsonSchema & { readonly schema?: undefined }) | "json";

/** Output type of a schema; `undefined` without one. */
export type OutputOf<Schema> = Schema extends undefined ? undefined : ParsedBy<Schema>;

/** What the model writes for a schema: the type of its input, before defaults and transforms. */
export type WrittenOf<Schema> = Schema extends undefined ? undefined : WrittenFor<Schema>;

/** Options of an agent that a run can override. `Context` is what the run is given as `context`. */
export interface SharedOptions<Context = unknown> {
  /**
   * The system instruction. A function is called once per run, when it starts or is resumed, so that all requests of a run have the
   * same one; what it throws fails the run.
   */
  readonly instructions?: string | ((run: RunContext<Context>) => string | Promise<string>) | undefined;
  /**
   * Functions and built-in tools, freely mixed. Pass a function for tools that come and go, such as those of an MCP server: it is
   * called when a run starts, and the run keeps its result.
   */
  readonly tools?: readonly AnyTool<Context>[] | ToolsFunction<Context> | undefined;
  /**
   * Whether the model may or must call functions in the first turn: `"auto"`, `"required"`, `"none"`, or `{ only: ["get_weather"] }`.
   * @defaultValue "auto"
   */
  readonly toolChoice?: ToolChoice | undefined;
  /** Checks of messages and answers, which may pass, replace or stop them. @defaultValue none */
  readonly guardrails?: Guardrails<Context> | undefined;
  /** Settings of its requests, such as `temperature` and `thinking`. A run's override the agent's one by one. @defaultValue the service's */
  readonly settings?: ModelSettings | undefined;
  /** Limits of a run. A run's override the agent's one by one. @defaultValue 25 turns, 200 function calls */
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
  /** Functions around turns and calls. A run's override the agent's one by one. @defaultValue none */
  readonly hooks?: Hooks<Context> | undefined;
  /**
   * Decides on calls of tools with `needsApproval`, while the run waits. Without it the run ends with `needs-approval`.
   * @defaultValue none
   */
  readonly approve?: Approve<Context> | undefined;
}

/** Gives the tools of a run. */
export type ToolsFunction<Context> = (run: RunContext<Context>) => readonly AnyTool<Context>[];

/**
 * Options of an agent. `Context` and `Tools` are inferred: the context from what the tools, hooks and functions declare, and the
 * tools from an array. `new Agent<Context>(…)` states the context, and leaves the calls of its results untyped.
 */
export interface AgentOptions<
  Context = unknown,
  Tools extends AnyTool<never> = AnyTool<Context>,
  Schema extends OutputSchema | undefined = OutputSchema | undefined,
> extends Omit<SharedOptions<Context>, "tools"> {
  /** As {@link SharedOptions.tools}. A function without parameters is also called when the agent is made. */
  readonly tools?: readonly (Tools & ToolFor<Context & NeededBy<Tools>>)[] | ToolsFunction<Context> | undefined;
  /** Schema of the answers of its runs, unless a run has its own; as {@link RunOptions.output}. @defaultValue none: the answer is text */
  readonly output?: Schema | undefined;
  /** A model id, or a model made by `gemini()`. */
  readonly model: ModelId | Model;
  /**
   * Endpoint of requests when `model` is an id.
   * @defaultValue from the environment: `GOOGLE_API_KEY`, `GEMINI_API_KEY`, `COMETAPI_KEY`, `GOOGLE_GENERATIVE_AI_API_KEY`
   */
  readonly endpoint?: Endpoint | undefined;
  /** Name of the agent in logs and as a tool. @defaultValue "agent" */
  readonly name?: string | undefined;
  /** Observe everything the agent's runs do, for traces and metrics. @defaultValue none */
  readonly observers?: readonly Observer[] | undefined;
  /** A pino logger or anything shaped like one. @defaultValue silent, except for the first error of each tool; `POLLUX_LOG` names another level */
  readonly logger?: Logger | undefined;
}

/** Options of one run; they override the agent's. */
export interface RunOptions<
  Schema extends OutputSchema | undefined = undefined,
  Context = unknown,
> extends SharedOptions<Context> {
  /**
   * What the application passes to this run's tools, hooks and functions, and to the runs inside it: a user, a database. It is never
   * stored and the model never sees it. Required when the agent has a context type.
   */
  readonly context?: GivenContext<Context> | undefined;
  /**
   * Tools in addition to the agent's, or to those of `tools`; such as tools that a client brings. Pass them again to resume the run.
   * @defaultValue none
   */
  readonly extraTools?: readonly AnyTool<Context>[] | undefined;
  /**
   * A JSON object that identifies the run for the application: it is in its first event, in hooks, observations and each line of the
   * log, also of runs inside it. A session stores it with the run, which keeps it when it is resumed. @defaultValue none
   */
  readonly metadata?: JsonObject | undefined;
  /**
   * Schema of the answer, instead of the agent's. With tools that search, the model first answers in prose (so that citations survive) and then converts
   * the answer to the schema. @defaultValue the agent's, or else none: the answer is text
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

/** What all of these tools need as context. */
type NeededBy<Tools> = [Tools] extends [ToolFor<infer Needed>] ? Needed : unknown;

/** What the runs of an agent need as context: what its hooks and functions declare, and all that its tools do. */
export type ContextFor<Context, Tools> = Context & ([Tools] extends [ToolFor<infer Needed>] ? Needed : unknown);

/** The `context` of a run: none when the agent has no context type. */
export type GivenContext<Context> = unknown extends Context ? undefined : Context;

/** The last argument of what starts a run: required when the context is. */
export type OptionsArgument<Options, Context> = undefined extends Context
  ? [options?: Options]
  : [options: Options & { readonly context: Context }];

/** Makes the steps of one run. `emit` receives live events; absent when nobody reads them. */
export type StepsFactory = (run: {
  readonly runId: string;
  readonly signal: AbortSignal;
  readonly emit: Emit | undefined;
}) => Steps<RunEvent>;

/** Options of counting tokens. */
export interface CountTokensOptions<Context = unknown> extends SharedOptions<Context>, CallSignal {
  /** For `instructions` and `tools` that are functions. */
  readonly context?: GivenContext<Context> | undefined;
  /** Counted if the request includes the schema. */
  readonly output?: OutputSchema | undefined;
}

/** Options of a run, whatever its output and its context. */
export interface AnyRunOptions extends Omit<RunOptions<OutputSchema | undefined>, "context"> {
  readonly context?: unknown;
}

/** Names of all settings; adding a setting without listing it here does not compile. */
export const SETTINGS: OptionNames<ModelSettings> = namesIn(
  "thinking includeThoughts temperature topP topK maxOutputTokens stopSequences seed presencePenalty frequencyPenalty",
  "responseModalities imageConfig speechConfig audioTranscriptionConfig outputConfig mediaResolution safetySettings",
  "location serviceTier store cachedContent labels responseLogprobs logprobs streamFunctionCallArguments",
);
export const HOOKS: OptionNames<Hooks> = namesIn("prepareTurn beforeCall afterCall");
export const LIMITS: OptionNames<Limits> = namesIn(
  "turns toolCalls inputTokens outputTokens totalTokens wallTimeMs cost concurrentCalls repeats restarts requestsPerTurn",
);

const SHARED: OptionNames<SharedOptions> = namesIn(
  "instructions tools settings toolChoice limits compaction prices stopWhen hooks approve guardrails",
);
export const AGENT: OptionNames<AgentOptions> = {
  ...SHARED,
  ...namesIn("model endpoint name output observers logger"),
};
export const RUN: OptionNames<AnyRunOptions> = {
  ...SHARED,
  ...namesIn("context extraTools output signal metadata runId parent steps"),
};

/** What a run goes by: the agent's options, overridden by its own. A run inside a run has only what it needs. */
export interface RunPlan extends Omit<AnyRunOptions, "limits" | "settings"> {
  readonly settings: ModelSettings;
  readonly limits: RunLimits;
}

/** Options with members of their own, which a run overrides one by one. */
export const GROUPS: {
  readonly settings: OptionNames<ModelSettings>;
  readonly limits: OptionNames<Limits>;
  readonly hooks: OptionNames<Hooks>;
} = { settings: SETTINGS, limits: LIMITS, hooks: HOOKS };
const GROUP_NAMES = ["settings", "limits", "hooks"] as const;

/** An agent's options, overridden by those of a run that are set. */
export function overrideOptions(agent: AgentOptions, run: AnyRunOptions): Omit<AgentOptions, "tools"> & AnyRunOptions {
  const combined: { [name: string]: unknown } = {};
  const all = [
    [agent, AGENT],
    [run, RUN],
  ] as const;
  // By name: an instance of a class may have options from its class, and other members of its own.
  for (const [options, names] of all)
    for (const name in names) {
      const value: unknown = Reflect.get(options, name);
      if (value !== undefined) combined[name] = value;
    }
  for (const group of GROUP_NAMES) {
    const [own, given] = [agent[group], run[group]];
    if (own !== undefined && given !== undefined) combined[group] = overrideMembers(GROUPS[group], own, given);
  }
  // The names are those of the types.
  return combined as unknown as AgentOptions & AnyRunOptions;
}

/** The members of both that are set, the second's before the first's. Functions keep their object as `this`. */
function overrideMembers(names: object, ...groups: readonly [object, object]): object {
  const members: { [name: string]: unknown } = {};
  for (const group of groups)
    for (const name in names) {
      const value: unknown = Reflect.get(group, name);
      if (value !== undefined) members[name] = typeof value === "function" ? value.bind(group) : value;
    }
  return members;
}
