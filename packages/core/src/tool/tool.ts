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
 * A function the model can call. Made by `defineTool`. `Context` is what its `run` needs of {@link ToolContext.context}; `Args` is what the
 * model sends, before defaults and transforms; `Ends` is `true` for one that ends the run.
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
  // First, so that a union of tools is told apart by it.
  readonly name: Name;
  readonly kind: "function";
  readonly description: string;
  /** The declaration that is sent: name, description and `parametersJsonSchema`. */
  readonly declaration: FunctionDeclaration;
  /** How the sent schema differs from the author's. */
  readonly schemaChanges: readonly SchemaChange[];
  /** When a failed attempt is followed by another one within the call; absent for never. */
  readonly retry?: ToolRetries | undefined;
  /** Whether a successful call ends the run with its output; absent for no. */
  readonly endsRun?: Ends | undefined;
  /** Whether calls are answered outside this process; {@link Tool.run} then fails. */
  readonly external: boolean;
  /** The arguments that an approval may change: all, or these. Absent: the tool does not say. */
  readonly editable?: true | readonly string[] | undefined;
  /** Set when a call starts a job, which is answered later: made by `defineJob()`. {@link Tool.run} then fails. */
  readonly job?: ToolJob | undefined;
  /** Set when the tool is an agent whose runs a durable engine can execute. */
  readonly agent?: ChildAgent | undefined;
  /** Set when a call has the service run this built-in tool, in a request of its own: the model takes no functions beside it. */
  readonly builtIn?: BuiltInName | undefined;
  /** Set when the model is not told of it: a call through a tool that stands in for others runs it, and so does one by its name. */
  readonly undeclared?: true | undefined;
  /** Set when a call names another tool of the run, in `name`, and its arguments, in `input`: it is that tool's call, in all but the contents. */
  readonly standsIn?: true | undefined;
  /** Set when a call reads what the runs inside it have read, and nothing else. */
  readonly readsNested?: true | undefined;
  /** Set when a successful call hands the conversation to another agent: made by `handoff()`. */
  readonly handoff?: Handoff | undefined;
  /** Whether the call requires approval; absent when never. Throwing counts as yes. */
  needsApproval?(input: Input, call: FunctionCall, run: ApprovalContext<Context>): boolean | Promise<boolean>;
  /** Who may answer the questions about the call: see {@link PendingCall.approvedBy}. Absent, or throws: the tool does not say. */
  approvedBy?(input: Input, call: FunctionCall): string;
  /** Validates the arguments. @throws {ModelRetry} With a short message for the model when they are invalid. */
  parse(args: unknown): Input | Promise<Input>;
  /** Runs the function. Returns the result, or is an async generator that yields progress and returns the result. */
  run(input: Input, context: ToolContext<Context>): Output | Promise<Output> | AsyncGenerator<unknown, Output, void>;
  /** How what a call has read has changed since, one phrase, for a replay. `steps`: what {@link ToolContext.step} recorded, by name. */
  changedSince?(steps: { readonly [name: string]: Json }): Promise<string | undefined>;
  /** Never set: makes the context contravariant, which a method is not. */
  readonly "~context"?: ((context: Context) => void) | undefined;
  /** Never set: the type of its completed calls. */
  readonly "~call"?: CompletedToolCall<Name, Args, Output, Ends> | undefined;
}

/** What a tool has that starts jobs. */
export interface ToolJob {
  /** Milliseconds that a job may take. */
  readonly timeoutMs: number;
  readonly checkEveryMs: number;
  /** Gives the job's id. `number`: as of {@link StartedJob}. */
  start(input: unknown, context: ToolContext, number?: number, before?: AskedBefore): Promise<string>;
  /** How a job stands, its output as its schema gives it. Rejects when nothing could be found out. */
  check?(jobId: string, context: JobContext): Promise<JobReport | undefined>;
  /** Stops a job, or gives why it could not be. Never rejects. */
  cancel?(jobId: string, context: JobContext): Promise<string | undefined>;
  /** The output as its schema gives it. @throws {TypeError} When it doesn't fit. */
  parseOutput(output: unknown): Promise<unknown>;
}

/** What every call has. */
export interface ToolCallBase<Name extends string = string, Args = JsonObject> {
  /** As the model wrote it; the tool may not exist. */
  readonly name: Name;
  /** The arguments as the model gave them: before defaults and transforms, and before hooks. */
  readonly input: Args;
  /** Unique in the run, such as `call:3.0`. */
  readonly callId: string;
  readonly turn: number;
  /** Milliseconds from start to outcome; 0 while it waits. */
  readonly durationMs: number;
  /** A person changed the arguments when approving it. `input` has the changed ones. */
  readonly edited?: true | undefined;
}

/** The tool gave a result, here or elsewhere. A hook that replaces arguments or output is trusted to keep to the tool's types. */
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
  /** What the run was given as `context`; annotate the parameter, as in `({ context }: ToolContext<App>)`, to declare its type. */
  readonly context: Context;
  /** Aborts when the run is aborted or the tool times out. Pass it to everything that waits. */
  readonly signal: AbortSignal;
  /** Unique in the run, stable across retries and resumes: `call:3.0` is the first call of turn 3. */
  readonly callId: string;
  /** The call as the model made it, or with the arguments that a hook or a person gave it. */
  readonly call: FunctionCall;
  /** From 1; higher when the tool's `retry` policy runs it again within the call. */
  readonly attempt: number;
  /** Stable across retries, crashes and resumes: pass it to services that accept an idempotency key. */
  readonly idempotencyKey: string;
  /** Turn of the run, from 1. */
  readonly turn: number;
  /** Its lines have the identity of the run, the turn and, in a trace, the ids of the call's span. */
  readonly logger: Logger;
  /** W3C `traceparent` of the call in an observer's trace, if any. @see https://www.w3.org/TR/trace-context/#traceparent-header */
  readonly traceparent?: string | undefined;
  /** Reports progress as a `tool-progress` event; `value` must be JSON-safe. Never rejects. */
  progress(value: unknown): Promise<void>;
  /** Adds the usage, cost and sources of a run inside this call to the calling run's; the same object only once. */
  attach(run: NestedRun): void;
  /** Records the JSON that `work` gives, by name: a call that is made again after a crash gets that. Absent without a session. */
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
  /** The tool threw; without {@link Tool.exposeErrors}, the message holds the text of a `ToolError` only. */
  | "failed"
  | "timeout"
  /** The run was aborted, or a person cancelled the call, before it ended. */
  | "cancelled"
  /** A person or a hook refused it. */
  | "denied"
  /** Whoever asked for it took the request back before it was answered. */
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

/** A tool that the service runs itself, such as `googleSearch()`. One without a function can be written out. */
export interface BuiltInTool {
  readonly kind: "built-in";
  readonly name: BuiltInName;
  /** The entry of the request's `tools`. */
  readonly wire: WireTool;
  /** What it is taken to bring into the history; what an answer says that was read counts in any case. @defaultValue untrusted and private */
  readonly reads?: Reads | undefined;
  /** How far it reaches: the service has the request anyway. It runs inside that, where nobody can be asked. */
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

/** An entry of the `tools` of an agent with this context, of any further type. */
export interface ToolFor<Context> {
  readonly kind: AnyTool["kind"];
  readonly "~context"?: ((context: Context) => void) | undefined;
}

/** A run inside a tool call. */
export interface NestedRun extends Cost {
  readonly usage: Usage;
  /** Its responses, oldest first, for their sources. */
  readonly responses: readonly ModelResponse[];
  /** What it has read that the calling run has not; absent for nothing. */
  readonly read?: readonly ReadSource[] | undefined;
}

/** The step of a run that contains another run. */
export interface ParentStep {
  readonly runId: string;
  /** Name of the step, such as `call:3.0`, or `compact:4` for the request of a summary. */
  readonly step: string;
  /** Id of the call, if the step is a call; stable when the call runs again. */
  readonly callId?: string | undefined;
  /** W3C `traceparent` of the step in the trace of an observer; of its run, if an engine starts the run inside. */
  readonly traceparent?: string | undefined;
}

/** What a run inside a call inherits from the calling run. */
export interface ParentRun {
  /** The step of the call in the calling run, for observers. */
  readonly step: ParentStep;
  /** What is left at the time of reading, after what runs inside other calls have reported so far. */
  readonly remaining: RemainingLimits;
  readonly prices?: PriceTable | undefined;
  readonly metadata?: JsonObject | undefined;
  /** The calling run's. */
  readonly approve?: Approve | undefined;
  /** What stands in for the world around the calling run, and around runs inside it. */
  readonly rehearsal?: Rehearsal | undefined;
  /** What the calling run's model has read: its task may come from there. */
  readonly read?: readonly ReadSource[] | undefined;
}

/**
 * What stands in for the world around a run: a run option that reaches its handovers and the runs inside it, too. Instructions, schemas,
 * checks, hooks, guardrails and limits are the agent's own.
 */
export interface Rehearsal {
  /** The model that answers in an agent's place. @defaultValue the agent's own */
  readonly model?: ((asked: Model, at: RehearsedRun) => Model) | undefined;
  /** Answers a call in place of its tool, once it is checked and approved; `undefined` runs the tool. @defaultValue all tools run */
  readonly call?: ((call: RehearsedCall) => Promise<ToolOutcome | undefined>) | undefined;
  /** Decides in place of the agent's own `approve`. @defaultValue the agent's own */
  readonly approve?: Approve | undefined;
  /** Milliseconds since the epoch. @defaultValue the clock */
  readonly now?: (() => number) | undefined;
}

/** The run that asks. */
export interface RehearsedRun {
  readonly runId: string;
  /** Name of the agent that leads it. */
  readonly agent: string;
  /** The step of another run that contains it. */
  readonly parent?: ParentStep | undefined;
}

/** A call that is about to be made. */
export interface RehearsedCall extends Omit<RehearsedRun, "parent"> {
  readonly turn: number;
  /** Unique in the run, such as `call:3.0`. */
  readonly callId: string;
  readonly call: FunctionCall;
  readonly tool: Tool;
}

/** Limits that a run shares with the runs inside its calls, as far as they remain: 0 when used up, absent when unlimited. */
export interface RemainingLimits {
  /** Prompt tokens, summed over all requests. @defaultValue unlimited */
  readonly inputTokens?: number | undefined;
  /** Visible output and thoughts, summed. @defaultValue unlimited */
  readonly outputTokens?: number | undefined;
  /** All tokens, summed. @defaultValue unlimited */
  readonly totalTokens?: number | undefined;
  /** Milliseconds of work; waiting for a person does not count. Also cancels what is in progress. @defaultValue unlimited */
  readonly wallTimeMs?: number | undefined;
  /** Money, in the unit of the price table, which is required then. @defaultValue unlimited */
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

/** Who takes the conversation over, and what of it. */
export interface Handoff {
  /** Asked when it is needed, since two agents may hand over to each other. */
  readonly to: () => { readonly name: string };
  /** What that agent is sent of what was said before; a message of the user comes before calls or responses. @defaultValue all of it */
  readonly filter?: ((contents: readonly Content[]) => readonly Content[]) | undefined;
}

/** Result of a run that a call started. */
export interface ChildRunResult {
  readonly outcome: ToolOutcome;
  /** The run's totals, for the calling run's; empty when there was none. */
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
  /** How does the job end that it has started? Nobody has to answer: the job is reported or checked. */
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
  /** The key of the answer. It names this question of this run, with these arguments: any other has another one. */
  readonly token: string;
  /** Who may answer, in the tool's words: `"user"` for the person who chats, or a name of the application's. Absent: the application decides. */
  readonly approvedBy?: string | undefined;
  /** The arguments that an approval may change. Absent: the tool does not say. */
  readonly editable?: readonly string[] | undefined;
  /** A person changed its arguments when approving it. */
  readonly edited?: true | undefined;
  /** The job that it waits for. */
  readonly job?: StartedJob | undefined;
  /** Set when it is asked because of what the model has read: it may be what somebody else wants. */
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

/** How a call that ran elsewhere ended. `notExecuted` means that it never ran: it is run now. */
export type ExternalOutcome =
  | { readonly output: unknown }
  | { readonly error: string }
  | { readonly notExecuted: true }
  | Withdrawal;
