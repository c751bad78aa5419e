import type { Json } from "../internal/json.ts";
import type { Logger } from "../logging/logger.ts";
import type { ModelResponse } from "../model/model.ts";
import type { PriceTable, Usage } from "../model/usage.ts";
import type { FunctionCall } from "../wire/types/content.ts";
import type { FunctionDeclaration, WireTool } from "../wire/types/declaration.ts";

/** A function the model can call. Made by `defineTool`. */
export interface Tool<Input = unknown, Output = unknown> {
  readonly kind: "function";
  readonly name: string;
  readonly description: string;
  /** What is sent: name, description and `parametersJsonSchema`. */
  readonly declaration: FunctionDeclaration;
  /** What was changed in the schema on the way. */
  readonly schemaChanges: readonly SchemaChange[];
  /** Runs alone: no other call of the same turn runs beside it. */
  readonly sequential: boolean;
  /** Milliseconds until the call is answered with a time-out. */
  readonly timeoutMs: number;
  /** Largest result in bytes of JSON; longer ones are cut, visibly. */
  readonly maxResultBytes: number;
  /** Invalid calls (bad arguments, {@link ToolRetry}) after which the tool is disabled for the run. */
  readonly maxRetries: number;
  /**
   * What resuming does with a call that a crash interrupted: `none` and `idempotent` run again (the latter with the same
   * {@link ToolContext.idempotencyKey}), `once` does not.
   */
  readonly effects: ToolEffects;
  /** For `once`: who is asked about an interrupted call. */
  readonly unknownOutcome: UnknownOutcome;
  /** Calls are answered outside this process; {@link Tool.run} fails. */
  readonly external: boolean;
  /** Milliseconds until a question about a call that nobody answers is closed with a time-out; absent for never. */
  readonly answerTimeoutMs?: number | undefined;
  /** Set when the tool is another agent, whose runs can be made elsewhere. */
  readonly agent?: ChildAgent | undefined;
  /** Whether a person has to agree to this call first; absent when never. Throwing counts as yes. */
  needsApproval?(input: Input, call: FunctionCall): boolean | Promise<boolean>;
  /** Checks the arguments. @throws {ToolRetry} With a short message for the model when they do not fit. */
  parse(args: unknown): Input | Promise<Input>;
  /** Does the work. May yield progress and return the result (async generator), or return it. */
  run(input: Input, context: ToolContext): Output | Promise<Output> | AsyncGenerator<unknown, Output, void>;
}

/** What a tool may use while it runs. */
export interface ToolContext {
  /** Aborts when the run is aborted or the tool's time is up. Pass it on to everything that waits. */
  readonly signal: AbortSignal;
  /** Unique in the run, the same over retries and resumes: `call:3.0` is the first call of turn 3. */
  readonly callId: string;
  /** The call as the model made it. */
  readonly call: FunctionCall;
  /** The same over retries, crashes and resumes: hand it to services that take an idempotency key. */
  readonly idempotencyKey: string;
  readonly runId: string;
  /** Turn of the run, from 1. */
  readonly turn: number;
  readonly logger: Logger;
  /** Reports progress as a `tool-progress` event; `value` must be JSON-safe. Never rejects. */
  progress(value: unknown): Promise<void>;
  /** Adds what a run made inside this call cost and found to the calling run's `usage` and `sources`. */
  attach(run: NestedRun): void;
  /** What a run inside this call takes over from the calling run: the rest of its limits, its prices, its `approve`. */
  readonly parent?: ParentRun | undefined;
}

/** How one call ended. A failure is data: the model reads it and can correct itself. */
export type ToolOutcome =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly kind: ToolFailureKind; readonly message: string };

/** Why a call failed. */
export type ToolFailureKind =
  /** No tool has that name. */
  | "not-found"
  /** The arguments do not fit the schema, or the tool threw `ToolRetry`. */
  | "bad-input"
  /** The tool threw. */
  | "failed"
  | "timeout"
  /** The run was aborted before the call ended. */
  | "cancelled"
  /** A person or a hook refused it. */
  | "denied"
  /** The process died during the call; whether it took effect is unknown. */
  | "unknown-outcome"
  /** The answer that held the call was cut off, or the call was repeated too often. */
  | "not-run";

/** What a tool does to the world: nothing, something safe to repeat under one key, or something that must not happen twice. */
export type ToolEffects = "none" | "idempotent" | "once";

/** Who is asked whether an interrupted call took effect: whoever resumes the run, or the model. */
export type UnknownOutcome = "ask" | "tell-model";

/** One difference between the author's schema and what is sent. */
export interface SchemaChange {
  /** Where, such as `properties.when.format`; empty for the root. */
  readonly path: string;
  /** What was done and why, one sentence. */
  readonly change: string;
}

/** A tool that the service runs itself. Made by `googleSearch()` and its like. */
export interface BuiltInTool {
  readonly kind: "built-in";
  readonly name: BuiltInName;
  /** The entry of the request's `tools`. */
  readonly wire: WireTool;
}

/** Names of the built-in tools. */
export type BuiltInName = "googleSearch" | "googleMaps" | "urlContext" | "codeExecution" | "fileSearch" | "computerUse";

/** What an agent's `tools` may hold. */
export type AnyTool = Tool | BuiltInTool;

/** A run that was made inside a tool call. */
export interface NestedRun {
  readonly usage: Usage;
  /** What it cost; absent without a price table. */
  readonly cost?: number | undefined;
  /** Its answers, oldest first, for their sources. */
  readonly responses: readonly ModelResponse[];
}

/** The step of a run inside which another run is made. */
export interface ParentStep {
  readonly runId: string;
  /** Name of the step, such as `call:3.0`, or `compact:4` for the request of a summary. */
  readonly step: string;
  /** Id of the call, when the step is one; the same when the call is run again. */
  readonly callId?: string | undefined;
}

/** What a run inside a call takes over from the run that made the call. */
export interface ParentRun {
  /** Where in the calling run the call stands, for observers. */
  readonly step: ParentStep;
  /**
   * What is left when it is read, after everything that runs inside other calls have reported by then. Parallel runs each
   * see what is left when they begin.
   */
  readonly remaining: RemainingLimits;
  readonly prices?: PriceTable | undefined;
  /** The calling run's. */
  readonly approve?: Approve | undefined;
}

/** What is left of a run's limits; one that is absent does not bound it. 0 when it is used up. */
export interface RemainingLimits {
  readonly inputTokens?: number | undefined;
  /** Visible output and thoughts. */
  readonly outputTokens?: number | undefined;
  readonly totalTokens?: number | undefined;
  readonly wallTimeMs?: number | undefined;
  /** In the unit of {@link ParentRun.prices}. */
  readonly cost?: number | undefined;
}

/** An agent behind a tool: how a call becomes a run of its own on a durable engine, and how that run answers the call. */
export interface ChildAgent {
  /** Name of the agent. The tool may have another one. */
  readonly name: string;
  /** What the run is begun with. @throws What a call with these arguments would throw before it ran. */
  start(args: unknown, parent: ParentRun): Promise<Json>;
  /** Reads what the run reported. Never rejects. */
  finish(report: Json): Promise<ChildRunResult>;
}

/** How a run that a call started ended. */
export interface ChildRunResult {
  readonly outcome: ToolOutcome;
  /** The run itself, for the calling run's totals; empty when there was none. */
  readonly nested: readonly NestedRun[];
  /** Milliseconds it was at work. */
  readonly activeMs: number;
}

/** What a run has to know about a call before it can go on. */
export type PendingQuestion =
  /** May it be run? */
  | "approval"
  /** What came of it? The tool has no `run`: it runs elsewhere. */
  | "outcome"
  /** Did it take effect? The process died while it ran, and its tool must not run twice. */
  | "unknown-outcome";

/** A call that waits for an answer. */
export interface PendingCall {
  readonly turn: number;
  /** Unique in the run, such as `call:3.0`: the key of the answer in `resume`. */
  readonly callId: string;
  readonly call: FunctionCall;
  readonly question: PendingQuestion;
  /** The agents it came through, outermost first, when a run inside a call asks; its turn and `callId` are of that run. */
  readonly path?: readonly string[] | undefined;
}

/** Whether a call may run; a refusal can tell the model why. */
export type Approval = boolean | { readonly deny: string };

/** Asks a person, or a policy, while the run waits. */
export type Approve = (pending: PendingCall, context: { readonly signal: AbortSignal }) => Approval | Promise<Approval>;

/** How a call ended that ran elsewhere. `notExecuted` says that it never happened: it is run now. */
export type ExternalOutcome =
  | { readonly output: unknown }
  | { readonly error: string }
  | { readonly notExecuted: true };
