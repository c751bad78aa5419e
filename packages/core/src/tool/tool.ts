import type { Json } from "../internal/json.ts";
import type { Logger } from "../logging/logger.ts";
import type { ModelResponse } from "../model/model.ts";
import type { Usage } from "../model/usage.ts";
import type { FunctionCall } from "../wire/content.ts";
import type { FunctionDeclaration, WireTool } from "../wire/declaration.ts";
import type { ParentRun } from "./parent-run.ts";
import type { ToolOutcome } from "./tool-outcome.ts";

/** A run that was made inside a tool call. */
export interface NestedRun {
  readonly usage: Usage;
  /** What it cost; absent without a price table. */
  readonly cost?: number | undefined;
  /** Its answers, oldest first, for their sources. */
  readonly responses: readonly ModelResponse[];
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
  /** What the calling run lends to a run inside this call: what is left of its limits, its prices, its `approve`. */
  readonly parent?: ParentRun | undefined;
}

/** One thing that was changed on the way from the author's schema to the wire. */
export interface SchemaChange {
  /** Where, such as `properties.when.format`; empty for the root. */
  readonly path: string;
  /** What was done and why, one sentence. */
  readonly change: string;
}

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
  /** How often one run answers this tool's {@link ToolRetry} and bad arguments before it says so for good. */
  readonly maxRetries: number;
  /**
   * What happens when a call is cut off by a crash and the run is resumed: `none` and `idempotent` run again (the latter
   * with the same {@link ToolContext.idempotencyKey}), `once` does not.
   */
  readonly effects: ToolEffects;
  /** For `once`, when it had started and nobody knows how it ended: the run asks whoever resumes it, or the model is told. */
  readonly unknownOutcome: UnknownOutcome;
  /** Calls are answered by somebody outside; {@link Tool.run} fails. */
  readonly external: boolean;
  /** Milliseconds until a question about a call that is put to somebody outside is answered with a time-out; absent for never. */
  readonly answerTimeoutMs?: number | undefined;
  /** The tool is another agent, whose runs can be made elsewhere; absent for any other tool. */
  readonly agent?: AgentOfTool | undefined;
  /** Whether a person has to agree to this call first; absent when never. Throwing counts as yes. */
  needsApproval?(input: Input, call: FunctionCall): boolean | Promise<boolean>;
  /** Checks the arguments. @throws {ToolRetry} With a short message for the model when they do not fit. */
  parse(args: unknown): Input | Promise<Input>;
  /** Does the work. May yield progress and return the result (async generator), or return it. */
  run(input: Input, context: ToolContext): Output | Promise<Output> | AsyncGenerator<unknown, Output, void>;
}

/** How a call of an agent becomes a run of its own on a durable engine, and how that run answers the call. */
export interface AgentOfTool {
  /** Name of the agent. The tool may have another one. */
  readonly name: string;
  /** What the run is begun with. @throws What a call with these arguments would throw before it ran. */
  start(args: unknown, parent: ParentRun): Promise<Json>;
  /** What the report of the run comes to. Never rejects. */
  ended(report: Json): Promise<EndedAgent>;
}

/** How a run that a call began came out. */
export interface EndedAgent {
  readonly outcome: ToolOutcome;
  /** The run itself, for the calling run's totals; empty when there was none. */
  readonly nested: readonly NestedRun[];
  /** Milliseconds in which it was at work. */
  readonly activeMs: number;
}

/** What a tool does to the world: nothing, something that may be asked for twice under one key, or something that must not happen twice. */
export type ToolEffects = "none" | "idempotent" | "once";

/** Who is asked about a call of which nobody knows whether it happened: the caller who resumes the run, or the model. */
export type UnknownOutcome = "ask" | "tell-model";

/** Words for the built-in tools. */
export type BuiltInName = "googleSearch" | "googleMaps" | "urlContext" | "codeExecution" | "fileSearch" | "computerUse";

/** A tool that the service runs itself. Made by `googleSearch()` and its like. */
export interface BuiltInTool {
  readonly kind: "built-in";
  readonly name: BuiltInName;
  /** The entry of the request's `tools`. */
  readonly wire: WireTool;
}

/** Anything that can stand in an agent's `tools`. */
export type AnyTool = Tool | BuiltInTool;
