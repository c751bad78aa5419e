import type { ParsedBy, StandardSchema, WrittenFor } from "../tool/schema/standard-schema.ts";
import type { Logger } from "../logging/logger.ts";
import type { CompactionOptions } from "../loop/turn/compaction.ts";
import type { Hooks, ToolChoice } from "../loop/loop-input.ts";
import type { RunContext } from "../tool/run-context.ts";
import type { Guardrails } from "../loop/guardrails.ts";
import type { Limits, RunLimits, StopRule, OwnerBudget } from "../loop/limits.ts";
import type { Observer } from "../loop/observers/observer.ts";
import type { Model } from "../model/model.ts";
import type { PriceTable } from "../model/usage.ts";
import type { ModelSettings } from "../model/settings.ts";
import type { AfterUntrusted, Reads, ReadSource } from "../tool/reads.ts";
import type { AnyTool, Approve, ParentStep, ToolFor } from "../tool/tool.ts";
import type { ModelId } from "../wire/known-models.ts";
import type { JsonObject } from "../wire/types/content.ts";
import type { JsonSchema } from "../wire/types/declaration.ts";
import type { Endpoint } from "../wire/endpoints/endpoint.ts";
import type {
  Answers,
  SessionAbout,
  WhileRunning,
  SessionLimits,
  StepsFactory,
  Unfinished,
} from "../session/runs/session-host.ts";
import type { SessionStore } from "../session/store/store.ts";
import type { ContentInput } from "../model/history/import-history.ts";
import type { Rehearsal } from "../tool/tool.ts";
import type { RunInput } from "./run-input.ts";

/**
 * Schema of the answer: zod 4, zod 3, any other schema that knows its JSON Schema, a raw JSON Schema (whose output is `unknown`), or
 * `"json"` for any JSON.
 */
export type OutputSchema = StandardSchema | (JsonSchema & { readonly schema?: undefined }) | "json";

/** Output type of a schema; `undefined` without one. */
export type OutputOf<Schema> = Schema extends undefined ? undefined : ParsedBy<Schema>;

/** What the model writes for a schema: the type of its input, before defaults and transforms. */
export type WrittenOf<Schema> = Schema extends undefined ? undefined : WrittenFor<Schema>;

/** Options of an agent that a run can override. `Context` is the type of the run's `context`. */
export interface SharedOptions<Context = unknown> {
  /**
   * The system instruction. A function is called once per run, when it starts or is resumed, so that all requests of a run have the
   * same one; its errors fail the run.
   */
  readonly instructions?: string | ((run: RunContext<Context>) => string | Promise<string>) | undefined;
  /**
   * Functions and built-in tools, freely mixed. Pass a function for tools that come and go, such as an MCP server's: it is
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

/** Returns the tools of a run. */
export type ToolsFunction<Context> = (run: RunContext<Context>) => readonly AnyTool<Context>[];

/**
 * Options of an agent. `Context` and `Tools` are inferred: the context from what the tools, hooks and functions declare, and the
 * tools from an array. `new Agent<Context>(…)` states the context, and leaves the calls of its results untyped.
 */
export interface AgentOptions<
  Context = unknown,
  Tools extends AnyTool<never> = AnyTool<Context>,
  Schema extends OutputSchema | undefined = OutputSchema | undefined,
> extends Omit<SharedOptions<ContextFor<Context, Tools>>, "tools"> {
  /** As {@link SharedOptions.tools}. A function without parameters is also called when the agent is created. */
  readonly tools?:
    | readonly (Tools & ToolFor<AfterFunctions<Context> & NeededBy<Tools>>)[]
    | ToolsFunction<Context>
    | undefined;
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
  /**
   * What happens to an outside call after untrusted content was read, unless its tool decides otherwise; `"deny"` applies to all tools.
   * @defaultValue "ask": asks `approve`; without it, the run ends with `needs-approval`
   */
  readonly afterUntrusted?: AfterUntrusted | undefined;
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
   * Tools in addition to the agent's or to `tools`, such as a client's. Pass them again to resume the run.
   * @defaultValue none
   */
  readonly extraTools?: readonly AnyTool<Context>[] | undefined;
  /**
   * A JSON object that identifies the run for the application: it is in the run's first event, in hooks, observations and each line of
   * the log, also for runs inside it. A session stores it with the run, and a resumed run keeps it. @defaultValue none
   */
  readonly metadata?: JsonObject | undefined;
  /**
   * Schema of the answer, instead of the agent's. With tools that search, the model first answers in prose (so that citations survive) and then converts
   * the answer to the schema. @defaultValue the agent's, or else none: the answer is text
   */
  readonly output?: Schema | undefined;
  /**
   * What the message brings into the history: `"untrusted"` for an email, a webhook or a stranger's text. A session stores it with the
   * message. Files always count as untrusted and private. @defaultValue "trusted": a person wrote it to the agent
   */
  readonly reads?: Reads | undefined;
  /**
   * What the contents before the message bring, when the input is whole contents.
   * @defaultValue for each result, the current `reads` of the tool with that name; without such a tool, both
   */
  readonly historyReads?: Reads | undefined;
  /** Aborts the run: requests and tools in progress are aborted, and `run` rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Id of the run, in events and idempotency keys. @defaultValue a random UUID */
  readonly runId?: string | undefined;
  /** The step of another run that contains this one, for observers. An agent tool sets it. @defaultValue none */
  readonly parent?: ParentStep | undefined;
  /** What the containing run has read, as `parent.read` of its call: the message may come from there. An agent tool sets it. @defaultValue nothing */
  readonly read?: readonly ReadSource[] | undefined;
  /**
   * Executes the run's operations, to run the loop on a durable engine. Called once, when the run is opened.
   * @defaultValue executes in process; in a session, through its journal
   */
  readonly steps?: StepsFactory | undefined;
  /**
   * Stand-ins for the model, the tools, the people and the clock, for evals and replays. They also hold for agents that take over and for
   * runs inside this one. @defaultValue none
   */
  readonly rehearsal?: Rehearsal | undefined;
}

type NeededBy<Tools> = [Tools] extends [ToolFor<infer Needed>] ? Needed : unknown;

/** The context itself. A condition, so that it is inferred from tools only if no function or hook declares one. */
type AfterFunctions<Context> = [Context] extends [never] ? never : Context;

/** The context that an agent's runs need: what its hooks and functions declare, and what each of its tools declares. */
export type ContextFor<Context, Tools> = Context & NeededBy<Tools>;

/** The `context` of a run: none when the agent has no context type. */
export type GivenContext<Context> = unknown extends Context ? undefined : Context;

/** The last argument of a method that starts a run: required when the context is. */
export type OptionsArgument<Options, Context> = undefined extends Context
  ? [options?: Options]
  : [options: Options & { readonly context: Context }];

/** Options of counting tokens. The `context` is for functions; the schema of the `output` is counted if the request includes it. */
export interface CountTokensOptions<Context = unknown>
  extends
    SharedOptions<Context>,
    Pick<RunOptions<OutputSchema | undefined, Context>, "context" | "output" | "signal"> {}

/** Options of a run with any output and any context. */
export interface AnyRunOptions extends Omit<RunOptions<OutputSchema | undefined>, "context"> {
  readonly context?: unknown;
}

/** The effective options of a run: the agent's, overridden by the run's. A run inside a run has only what it needs. */
export interface RunPlan extends Omit<AnyRunOptions, "limits" | "settings"> {
  readonly settings: ModelSettings;
  readonly limits: RunLimits;
}

/** Identity, store and limits of a session. */
export interface SessionOptions extends SessionAbout {
  /** The session's key in its store. @defaultValue a random UUID */
  readonly id?: string | undefined;
  /** @defaultValue a new {@link MemoryStore} */
  readonly store?: SessionStore | undefined;
  /**
   * Contents from before the session, oldest first, such as a result's: the session begins with them and sends them unchanged. Convert
   * those of another model or library with `importHistory()` first. Ignored when the store has the session already. @defaultValue none
   */
  readonly history?: readonly ContentInput[] | undefined;
  /**
   * What these contents bring: see `reads` of a tool.
   * @defaultValue for each result, the current `reads` of the tool with that name; without such a tool, and for each file, both
   */
  readonly historyReads?: Reads | undefined;
  /**
   * Named agents that may lead in addition to the targets of handoffs, such as one that {@link Session.as} put in charge, so that it also
   * gets the next message. Their context is the one of the session's own agent. @defaultValue none
   */
  readonly agents?: readonly { readonly name: string; session(options: SessionOptions): object }[] | undefined;
  /**
   * Limits on all runs of the session together; a run that reaches one ends with `limit` and `scope: "session"`, and the next message
   * is refused with `SessionLimitError`. @defaultValue none
   */
  readonly limits?: SessionLimits | undefined;
  /**
   * Returns the budget that the session shares with its owner's other sessions, in the unit of `prices`, which are required. Called before
   * each turn, but not again for turns that are stored. When nothing is left, the run ends with `limit` and `scope: "owner"`, and can be
   * resumed once something is; if the function throws, the run fails. Runs inside calls don't call it: they get no more than was left when
   * the turn began. @defaultValue none
   */
  readonly ownerBudget?: (() => OwnerBudget | Promise<OwnerBudget>) | undefined;
  /**
   * How long a run keeps its session after its process has stopped renewing the lease, in milliseconds; at least 100. With a shorter
   * lease, other processes take over sooner after a crash, but also from a process that was only paused. @defaultValue 15_000
   */
  readonly leaseMs?: number | undefined;
}

/** Options of sending a message. */
export interface SendOptions {
  /** What the message does while a run is in progress. @defaultValue "refuse" */
  readonly whileRunning?: WhileRunning | undefined;
  /**
   * What to do when the last run was cut off by a crash or waits for an answer. `"close"` ends it: its questions are withdrawn and its open
   * calls answered as cancelled. `"refuse"` throws `SessionUnfinishedError`, unless the message has steered that run already. `"steer"`
   * stores the message for a run that waits: the result is the waiting run's, and the model reads the message with the outcome once the
   * answer has come; a run that was cut off is closed. A run with an answer that it has not used, because it was not resumed or was cut
   * off, is not closed by either: it continues and gets the message. @defaultValue "close"
   */
  readonly unfinished?: Unfinished | undefined;
  /** Whether the shown part of an answer that was cut off becomes part of the history. @defaultValue true */
  readonly keepInterrupted?: boolean | undefined;
  /**
   * Id of the message that this one replaces, as in the conversation: that message and everything after it are taken back first, as by
   * {@link Session.rewind}. @defaultValue none
   */
  readonly replaces?: string | undefined;
}

/** Options of {@link Session.rewind}. */
export interface RewindOptions {
  /** Id of the first message to take back, as in the conversation, or of its answer. @defaultValue the last message that began a run */
  readonly before?: string | undefined;
}

/** Options of {@link Session.regenerate}. */
export interface RegenerateOptions {
  /** Id of the answer to regenerate, as in the conversation, or of the message that it answers. @defaultValue the last one */
  readonly messageId?: string | undefined;
  /**
   * What happens while a run is in progress: `"refuse"` with `SessionRunningError`, `"wait"` until it is over, or `"replace"` it: stop it first.
   * @defaultValue "refuse"
   */
  readonly whileRunning?: Exclude<WhileRunning, "steer"> | undefined;
}

/** Options of resuming a run. */
export interface ResumeOptions extends Answers {
  /** Resume a run that another version of the loop started. @defaultValue false */
  readonly anyLoopVersion?: boolean | undefined;
}

/** Options of {@link Session.continue}. */
export interface ContinueOptions extends SendOptions, ResumeOptions {
  /** Without it, `replaces` sends the message that it names again. */
  readonly message?: RunInput | undefined;
}
