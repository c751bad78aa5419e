import type { Steering, Steps } from "../durable/steps.ts";
import type { Logger } from "../logging/logger.ts";
import type { Model, ModelRequest } from "../model/model.ts";
import type { PriceTable } from "../model/usage.ts";
import type { ModelSettings } from "../model/settings.ts";
import type { Approve, NestedRun, ParentStep, ToolOutcome } from "../tool/tool.ts";
import type { Toolset } from "../tool/toolset.ts";
import type { Content, FunctionCall, JsonObject } from "../wire/types/content.ts";
import type { JsonSchema } from "../wire/types/declaration.ts";
import type { CompactionOptions } from "./turn/compaction.ts";
import type { Emit, RunEvent } from "./events.ts";
import type { Limits, SharedLimits, StopRule, WallClock } from "./limits.ts";
import type { StepExecutor } from "./observer.ts";
import type { RunResult } from "./result.ts";

/** How free the model is in a run's first turn; later turns are always `auto`, since a forced call never ends. `none` holds for all turns. */
export type ToolChoice = "auto" | "required" | "none" | { readonly only: readonly string[] };

/** Typed output: what is asked for, and how an answer is checked. */
export interface OutputPlan {
  readonly schema: JsonSchema | undefined;
  /** The schema goes along with every request; otherwise a last request without tools turns the answer into it. */
  readonly native: boolean;
  /** Checks an answer's text. Never rejects. */
  parse(
    text: string,
  ): Promise<{ readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string }>;
}

/** How a history that gets too long for the model is cut. */
export interface CompactionPlan {
  readonly options: CompactionOptions;
  readonly windowTokens: number;
  /** Asks for a summary of contents. */
  readonly summarize: (
    contents: readonly Content[],
    step: Pick<ParentStep, "step"> & { readonly signal: AbortSignal },
    attach: (run: NestedRun) => void,
  ) => Promise<string>;
}

/**
 * Called with the result of a run before it reports its end.
 *
 * @returns `more-was-said` when the run was steered after it last looked, so that it has to answer first.
 */
export type BeforeEnd = (result: RunResult<unknown>) => Promise<"ended" | "more-was-said">;

/** Everything one run needs. Made by the agent; the loop adds nothing to it. */
export interface LoopInput {
  readonly model: Model;
  readonly steps: Steps<RunEvent>;
  /** Takes the events of the run itself, which its reader follows in step; absent when nobody reads events, and then none are made. */
  readonly emit: Emit | undefined;
  /** Carries out the steps of a run that has observers; absent when there are none. */
  readonly observed?: StepExecutor | undefined;
  /** Called with the result before the run reports its end; what it throws fails the run. */
  readonly beforeEnd?: BeforeEnd | undefined;
  readonly signal: AbortSignal;
  /** Cuts off what is under way when the wall time is up, which ends the run with a result. Set by the loop. */
  readonly clock?: WallClock | undefined;
  /** How many of the state's contents were there before this run. */
  readonly historyLength: number;
  /** Identity under which contents already sent are remembered. */
  readonly conversation: object;
  readonly instructions: string | undefined;
  readonly toolset: Toolset;
  readonly settings: ModelSettings;
  readonly toolChoice: ToolChoice;
  readonly output: OutputPlan | undefined;
  readonly limits: Limits;
  readonly session?: SharedLimits | undefined;
  readonly prices?: PriceTable | undefined;
  readonly compaction?: CompactionPlan | undefined;
  readonly stopWhen: readonly StopRule[];
  readonly hooks: Hooks;
  /** Asked about calls that need a person's word; without it the run suspends. */
  readonly approve?: Approve | undefined;
  /** What was said to the run while it was going. */
  readonly steering?: Steering | undefined;
  /** Calls of one turn that run at the same time. */
  readonly concurrency: number;
  /** Turns in a row with the same calls and results that end the run. */
  readonly maxRepeats: number;
  /** How often a stream that broke in the middle is begun again, per request. */
  readonly maxRestarts: number;
  /** Requests that one turn may send, whatever asks again. */
  readonly maxRequestsPerTurn: number;
  readonly logger: Logger;
  /** Milliseconds since the epoch. Called inside steps only. */
  readonly now: () => number;
}

/** What a hook is told of the request that is about to be made. */
export interface RequestInfo {
  readonly turn: number;
  readonly request: ModelRequest;
  readonly signal: AbortSignal;
}

/** What a hook is told of a call. */
export interface CallInfo {
  readonly turn: number;
  /** Unique in the run, such as `call:3.0`. */
  readonly callId: string;
  readonly call: FunctionCall;
  readonly signal: AbortSignal;
}

/**
 * What a hook decides about a call before it runs: nothing (it runs), a denial whose text the model reads, other
 * arguments to run it with, or an output that stands in for running it.
 */
export type CallDecision =
  | void
  | undefined
  | { readonly deny: string }
  | { readonly args: JsonObject }
  | { readonly output: unknown };

/**
 * Functions called at fixed points of a run. All may be async; all are awaited, until the run is aborted.
 * A hook that throws ends the run with its error: it is the application's own code, not the model's.
 */
export interface Hooks {
  /** Before each request. May give back another request; history edited here is edited for this request only. */
  readonly beforeRequest?: ((info: RequestInfo) => ModelRequest | void | Promise<ModelRequest | void>) | undefined;
  /** Before each call, side by side for parallel calls. */
  readonly beforeCall?: ((info: CallInfo) => CallDecision | Promise<CallDecision>) | undefined;
  /** After each call; may give back another outcome. */
  readonly afterCall?:
    | ((info: CallInfo & { readonly outcome: ToolOutcome }) => ToolOutcome | void | Promise<ToolOutcome | void>)
    | undefined;
}
