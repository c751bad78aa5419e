import type { Json } from "../internal/json.ts";
import type { Logger } from "../logging/logger.ts";
import type { Model, ModelResponse } from "../model/model.ts";
import type { Cost, PriceTable, Usage } from "../model/usage.ts";
import type { Content, FunctionCall, JsonObject } from "../wire/types/content.ts";
import type { FunctionDeclaration, WireTool } from "../wire/types/declaration.ts";
import type { AskedBefore, JobContext, JobReport, StartedJob } from "./job.ts";
import type { JsonOf } from "./json-of.ts";
import type { Reach, Reads, ReadSource, ToolTrust, UntrustedReason } from "./reads.ts";
import type { RunContext } from "./run-context.ts";
import type { ToolRetries, ToolSettings } from "./tool-settings.ts";

/**
 * A function the model can call; `defineTool` makes one. `Context`: the type that `run` needs as {@link ToolContext.context}. `Args`: what
 * the model sends, before defaults and transforms. `Ends`: `true` for a tool that ends the run.
 */
export interface Tool<
  Input = unknown,
  Output = unknown,
  Context = unknown,
  Name extends string = string,
  Args = Input,
  Ends extends boolean = boolean,
>
  extends ToolSettings, ToolTrust {
  // First, so that TypeScript discriminates a union of tools by it.
  readonly name: Name;
  readonly kind: "function";
  readonly description: string;
  /** The declaration that is sent: name, description and `parametersJsonSchema`. */
  readonly declaration: FunctionDeclaration;
  /** How the sent schema differs from the author's. */
  readonly schemaChanges: readonly SchemaChange[];
  /** When a failed attempt is repeated within the call; absent: never. */
  readonly retry?: ToolRetries | undefined;
  /** Whether a successful call ends the run with its output; absent for no. */
  readonly endsRun?: Ends | undefined;
  /** Whether calls are answered outside this process; {@link Tool.run} then fails. */
  readonly external: boolean;
  /** The arguments that an approval may change; `true`: all. Absent: the application decides. */
  readonly editable?: true | readonly string[] | undefined;
  /** Set by `defineJob()`: a call starts a job, and its result comes later. {@link Tool.run} then fails. */
  readonly job?: ToolJob | undefined;
  /** Set when the tool is an agent whose runs a durable engine can execute. */
  readonly agent?: ChildAgent | undefined;
  /** Set when a call runs this built-in tool of the service in a separate request: the model takes no functions beside it. */
  readonly builtIn?: BuiltInName | undefined;
  /** Set when requests don't declare the tool: a call through a stand-in runs it, and so does a call by its name. */
  readonly undeclared?: true | undefined;
  /** Set on a stand-in: its calls name another tool in `name`, with its arguments in `input`. Except in the contents, they are that tool's calls. */
  readonly standsIn?: true | undefined;
  /** Set when a call reads only what the runs inside it read. */
  readonly readsNested?: true | undefined;
  /** Set by `handoff()`: a successful call hands the conversation to another agent. */
  readonly handoff?: Handoff | undefined;
  /** Whether the call requires approval; absent when never. Throwing counts as yes. */
  needsApproval?(input: Input, call: FunctionCall, run: ApprovalContext<Context>): boolean | Promise<boolean>;
  /** Who may answer the questions about the call: see {@link PendingCall.approvedBy}. Absent, or throws: the application decides. */
  approvedBy?(input: Input, call: FunctionCall): string;
  /** Validates the arguments. @throws {ModelRetry} With a short message for the model when they are invalid. */
  parse(args: unknown): Input | Promise<Input>;
  /** Runs the function. Returns the result, or is an async generator that yields progress and returns the result. */
  run(input: Input, context: ToolContext<Context>): Output | Promise<Output> | AsyncGenerator<unknown, Output, void>;
  /** For a replay: one phrase on how the data that a call read has changed since. `steps`: what {@link ToolContext.step} recorded, by name. */
  changedSince?(steps: { readonly [name: string]: Json }): Promise<string | undefined>;
  /** Never set: makes the context contravariant, which a method is not. */
  readonly "~context"?: ((context: Context) => void) | undefined;
  /** Never set: the type of its completed calls. */
  readonly "~call"?: CompletedToolCall<Name, Args, Output, Ends> | undefined;
}

/** The functions and limits of a tool that starts jobs. */
export interface ToolJob {
  /** Milliseconds that a job may take. */
  readonly timeoutMs: number;
  readonly checkEveryMs: number;
  /** Starts the job and returns its id. `number`: as in {@link StartedJob}. */
  start(input: unknown, context: ToolContext, number?: number, before?: AskedBefore): Promise<string>;
  /** The job's state, with its output parsed by the schema. Rejects when the check fails. */
  check?(jobId: string, context: JobContext): Promise<JobReport | undefined>;
  /** Stops a job; returns the reason if it could not. Never rejects. */
  cancel?(jobId: string, context: JobContext): Promise<string | undefined>;
  /** The output, parsed by its schema. @throws {TypeError} When it doesn't fit. */
  parseOutput(output: unknown): Promise<unknown>;
}

/** The fields that every call has. */
export interface ToolCallBase<Name extends string = string, Args = JsonObject> {
  /** As the model wrote it; the tool may not exist. */
  readonly name: Name;
  /** The arguments from the model, before defaults, transforms and hooks. */
  readonly input: Args;
  /** Unique in the run, such as `call:3.0`. */
  readonly callId: string;
  readonly turn: number;
  /** Milliseconds from start to outcome; 0 while it waits. */
  readonly durationMs: number;
  /** A person changed the arguments when approving the call; `input` has the changed ones. */
  readonly edited?: true | undefined;
}

/** The tool returned a result, here or elsewhere. Nothing checks that a hook's arguments or output match the tool's types. */
export interface CompletedToolCall<
  Name extends string = string,
  Args = unknown,
  Output = unknown,
  Ends extends boolean = boolean,
> extends ToolCallBase<Name, Args> {
  readonly status: "completed";
  /** The result as JSON, which is how it is recorded. */
  readonly output: JsonOf<Output>;
  /** Set on the call that ended the run. */
  readonly endedRun?: Ends | undefined;
}

/** Context of a running call. */
export interface ToolContext<Context = unknown> extends RunContext<Context> {
  /** The run's `context` option. To declare its type, annotate the parameter: `({ context }: ToolContext<App>)`. */
  readonly context: Context;
  /** Aborts when the run is aborted or the tool times out. Pass it to everything that waits. */
  readonly signal: AbortSignal;
  /** Unique in the run, stable across retries and resumes: `call:3.0` is the first call of turn 3. */
  readonly callId: string;
  /** The model's call; a hook or a person may have changed its arguments. */
  readonly call: FunctionCall;
  /** From 1; higher when the tool's `retry` policy runs it again within the call. */
  readonly attempt: number;
  /** Stable across retries, crashes and resumes: pass it to services that accept an idempotency key. */
  readonly idempotencyKey: string;
  /** Turn of the run, from 1. */
  readonly turn: number;
  /** Adds the run's identity, the turn and, in a trace, the ids of the call's span to each line. */
  readonly logger: Logger;
  /** W3C `traceparent` of the call in an observer's trace, if any. @see https://www.w3.org/TR/trace-context/#traceparent-header */
  readonly traceparent?: string | undefined;
  /** Reports progress as a `tool-progress` event; `value` must be JSON-safe. Never rejects. */
  progress(value: unknown): Promise<void>;
  /** Adds the usage, cost and sources of a run inside this call to the calling run's; counts the same object once. */
  attach(run: NestedRun): void;
  /** Records the JSON that `work` returns, by name: a call repeated after a crash gets the recorded value. Absent without a session. */
  readonly step?: (<T>(name: string, work: () => Promise<T>) => Promise<T>) | undefined;
  /** What a run inside this call inherits from the calling run: remaining limits, prices, `approve`. */
  readonly parent?: ParentRun | undefined;
}

/** How one call ended. A failure is data: the model reads it and can correct itself. */
export type ToolOutcome =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly kind: ToolErrorKind; readonly message: string };

/** Why a call failed. */
export type ToolErrorKind =
  /** No tool has that name. */
  | "not-found"
  /** The arguments do not match the schema, or the tool threw `ModelRetry`. */
  | "bad-input"
  /** The tool threw; without {@link Tool.exposeErrors}, the message contains only the text of a `ToolError`. */
  | "failed"
  | "timeout"
  /** The run was aborted, or a person cancelled the call, before it ended. */
  | "cancelled"
  /** A person or a hook refused it. */
  | "denied"
  /** The user took the request back before anyone answered it. */
  | "withdrawn"
  /** The process died during the call; whether it took effect is unknown. */
  | "unknown-outcome"
  /** The answer that held the call was cut off, or the call was repeated too often. */
  | "not-run";

/** One difference between the author's schema and what is sent. */
export interface SchemaChange {
  /** Where, such as `properties.when.format`; empty for the root. */
  readonly path: string;
  /** What was changed and why, one phrase. */
  readonly change: string;
}

/** A tool that the service runs itself, such as `googleSearch()`. If Pollux has no function for it, write the object. */
export interface BuiltInTool {
  readonly kind: "built-in";
  readonly name: BuiltInName;
  /** The entry of the request's `tools`. */
  readonly wire: WireTool;
  /** What it is assumed to bring into the history; what an answer reports as read always counts. @defaultValue untrusted and private */
  readonly reads?: Reads | undefined;
  /** How far it reaches beyond the service. It runs inside the request, where nobody can be asked for approval. */
  readonly reach?: Reach | undefined;
  /** Never set: it needs no context. */
  readonly "~context"?: undefined;
  /** Never set: its calls are the service's own. */
  readonly "~call"?: undefined;
}

/** Names of the built-in tools. */
export type BuiltInName = Exclude<keyof WireTool, "functionDeclarations">;

/** An entry of the `tools` of an agent with this context. */
export type AnyTool<Context = unknown> = Tool<unknown, unknown, Context> | BuiltInTool;

/** An entry of the `tools` of an agent with this context; its other types don't matter. */
export interface ToolFor<Context> {
  readonly kind: AnyTool["kind"];
  readonly "~context"?: ((context: Context) => void) | undefined;
}

/** A run inside a tool call. */
export interface NestedRun extends Cost {
  readonly usage: Usage;
  /** Its responses, oldest first, for their sources. */
  readonly responses: readonly ModelResponse[];
  /** What it read and the calling run did not; absent: nothing. */
  readonly read?: readonly ReadSource[] | undefined;
}

/** The step of a run that contains another run. */
export interface ParentStep {
  readonly runId: string;
  /** Name of the step, such as `call:3.0`, or `compact:4` for the request of a summary. */
  readonly step: string;
  /** Id of the call, if the step is a call; stable when the call runs again. */
  readonly callId?: string | undefined;
  /** W3C `traceparent` of the step in an observer's trace; of the step's run, if an engine starts the inner run. */
  readonly traceparent?: string | undefined;
}

/** What a run inside a call inherits from the calling run. */
export interface ParentRun {
  /** The step of the call in the calling run, for observers. */
  readonly step: ParentStep;
  /** What is left when it is read, minus what runs inside other calls have reported so far. */
  readonly remaining: RemainingLimits;
  readonly prices?: PriceTable | undefined;
  readonly metadata?: JsonObject | undefined;
  /** The calling run's `approve`. */
  readonly approve?: Approve | undefined;
  /** Replaces the outside world for the calling run and the runs inside it. */
  readonly rehearsal?: Rehearsal | undefined;
  /** What the calling run's model has read; the task may come from there. */
  readonly read?: readonly ReadSource[] | undefined;
}

/**
 * A run option that replaces the outside world for the run, its handoffs and the runs inside it. Instructions, schemas, checks, hooks,
 * guardrails and limits stay the agent's own.
 */
export interface Rehearsal {
  /** Returns the model that answers in place of the agent's. @defaultValue the agent's own */
  readonly model?: ((asked: Model, at: RehearsedRun) => Model) | undefined;
  /** Answers a call in place of its tool, once it is checked and approved; `undefined` runs the tool. @defaultValue all tools run */
  readonly call?: ((call: RehearsedCall) => Promise<ToolOutcome | undefined>) | undefined;
  /** Decides in place of the agent's own `approve`. @defaultValue the agent's own */
  readonly approve?: Approve | undefined;
  /** Milliseconds since the epoch. @defaultValue the clock */
  readonly now?: (() => number) | undefined;
}

/** The run that sends a request or makes a call. */
export interface RehearsedRun {
  readonly runId: string;
  /** Name of the agent that leads it. */
  readonly agent: string;
  /** The step of the run that contains it. */
  readonly parent?: ParentStep | undefined;
}

/** A call that is about to run. */
export interface RehearsedCall extends Omit<RehearsedRun, "parent"> {
  readonly turn: number;
  /** Unique in the run, such as `call:3.0`. */
  readonly callId: string;
  readonly call: FunctionCall;
  readonly tool: Tool;
}

/** What remains of the limits that a run shares with the runs inside its calls: 0 when used up, absent when unlimited. */
export interface RemainingLimits {
  /** Prompt tokens, summed over all requests. @defaultValue unlimited */
  readonly inputTokens?: number | undefined;
  /** Visible output and thoughts, summed. @defaultValue unlimited */
  readonly outputTokens?: number | undefined;
  /** All tokens, summed. @defaultValue unlimited */
  readonly totalTokens?: number | undefined;
  /** Milliseconds of work; waiting for a person does not count. Also cancels what is in progress. @defaultValue unlimited */
  readonly wallTimeMs?: number | undefined;
  /** Money, in the unit of the price table, which this limit requires. @defaultValue unlimited */
  readonly cost?: number | undefined;
}

/** An agent behind a tool: how a call becomes a separate run on a durable engine, and how that run answers the call. */
export interface ChildAgent {
  /** Name of the agent; the tool's name may differ. */
  readonly name: string;
  /** Input that starts the run. @throws What a call with these arguments would throw before running. */
  start(args: unknown, parent: ParentRun): Promise<Json>;
  /** Reads the run's report. Never rejects. */
  finish(report: Json): Promise<ChildRunResult>;
}

/** The agent that takes over the conversation, and the part of it that it gets. */
export interface Handoff {
  /** Called when needed, because two agents may hand off to each other. */
  readonly to: () => { readonly name: string };
  /** Chooses which earlier contents that agent gets; they always begin with a message of the user. @defaultValue all of them */
  readonly filter?: ((contents: readonly Content[]) => readonly Content[]) | undefined;
}

/** Result of a run that a call started. */
export interface ChildRunResult {
  readonly outcome: ToolOutcome;
  /** The run's totals, to add to the calling run's; empty when no run took place. */
  readonly nested: readonly NestedRun[];
  /** Milliseconds it was active. */
  readonly activeMs: number;
}

/** What a run needs to know about a call before it can continue. */
export type PendingQuestion =
  /** May it run? */
  | "approval"
  /** What is its outcome? The tool has no `run`: it runs elsewhere. */
  | "outcome"
  /** Did it take effect? The process died during the call, and its tool must not run twice. */
  | "unknown-outcome"
  /** How does its job end? Nobody has to answer: the outcome is reported, or a check finds it. */
  | "job";

/** A call that waits for an answer. */
export interface PendingCall {
  /** The turn that made it, counted from 1. */
  readonly turn: number;
  /** Unique in the run, such as `call:3.0`. */
  readonly callId: string;
  /** With the arguments it runs with. */
  readonly call: FunctionCall;
  /** What it waits for. */
  readonly question: PendingQuestion;
  /** The key of the answer: unique to this question of this run, with these arguments. */
  readonly token: string;
  /** Who may answer, as the tool says: `"user"` for the person who chats, or a name the application knows. Absent: the application decides. */
  readonly approvedBy?: string | undefined;
  /** The arguments that an approval may change. Absent: the application decides. */
  readonly editable?: readonly string[] | undefined;
  /** A person changed its arguments when approving it. */
  readonly edited?: true | undefined;
  /** The job that it waits for. */
  readonly job?: StartedJob | undefined;
  /** Set when the question is asked because the model has read untrusted content: somebody else may want the call. */
  readonly because?: UntrustedReason | undefined;
  /** Set when a run inside a call asks: the agents in between, outermost first; `turn` and `callId` belong to that run. */
  readonly path?: readonly string[] | undefined;
}

/** Whether a call may run; a denial can tell the model why. `{ args }` runs it with other arguments; `{ withdrawn }` takes the request back. */
export type Approval = boolean | { readonly deny: string } | { readonly args: JsonObject } | Withdrawal;

/** Takes a request back instead of answering it; the model reads the reason. */
export interface Withdrawal {
  readonly withdrawn: true | string;
}

/** Decides whether a call may run, by asking a person or a policy; the run waits. */
export type Approve<Context = unknown> = (
  pending: PendingCall,
  run: ApprovalContext<Context>,
) => Approval | Promise<Approval>;

/** The run whose call may need approval. */
export interface ApprovalContext<Context = unknown> extends Omit<RunContext<Context>, "runId" | "agent"> {
  /** Absent when a tool is called without a run, as by an MCP server; so is `agent`. */
  readonly runId?: string | undefined;
  /** Name of the agent that made the call. */
  readonly agent?: string | undefined;
}

/** How a call that ran elsewhere ended. `notExecuted`: it never ran, so it runs now. */
export type ExternalOutcome =
  | { readonly output: unknown }
  | { readonly error: string }
  | { readonly notExecuted: true }
  | Withdrawal;
