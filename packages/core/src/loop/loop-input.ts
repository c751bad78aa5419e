import type { AnsweredCall, ClosedTurn, TurnStep } from "../durable/closed-turn.ts";
import type { PhaseKind } from "../durable/run-log.ts";
import type { Steering, Steps } from "../durable/steps.ts";
import type { Logger } from "../logging/logger.ts";
import type { Model } from "../model/model.ts";
import type { PriceTable } from "../model/prices.ts";
import type { ModelSettings } from "../model/settings.ts";
import type { Approve, Handoff, NestedRun, ParentStep, ToolOutcome } from "../tool/tool.ts";
import type { Toolset } from "../tool/toolset.ts";
import type { Content, FunctionCall, JsonObject } from "../wire/types/content.ts";
import type { JsonSchema } from "../wire/types/declaration.ts";
import type { CompactionOptions } from "./turn/compaction.ts";
import type { Emit, RunEvent } from "./events.ts";
import type { Guardrails } from "./guardrails.ts";
import type { AskOwnerBudget, RunLimits, SharedLimits, StopRule, WallClock } from "./limits.ts";
import type { RunResult } from "./result.ts";
import type { RunContext, RunIdentity } from "../tool/run-context.ts";
import type { StepExecutor } from "./observers/observed-step.ts";
import type { PrepareTurn, ToolChoice, TurnPreparer } from "./turn/turn-info.ts";

/** Typed output: the schema, and the check of an answer. */
export interface OutputPlan {
  readonly schema: JsonSchema | undefined;
  /** The schema is sent with every request; otherwise a last request without tools converts the answer. */
  readonly native: boolean;
  /** Checks an answer's text. Never rejects. */
  parse(
    text: string,
  ): Promise<{ readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string }>;
}

/** How a history that is too long for the model is compacted. */
export interface CompactionPlan {
  readonly options: CompactionOptions;
  readonly windowTokens: number;
  /** Requests a summary of contents. */
  readonly summarize: (
    contents: readonly Content[],
    step: Pick<ParentStep, "step" | "traceparent"> & { readonly signal: AbortSignal },
    attach: (run: NestedRun) => void,
  ) => Promise<string>;
}

/**
 * Called with the result of a run before it reports its end.
 *
 * @returns `steered` when the run was steered or answered after it last looked, so that it has to go on first.
 */
export type BeforeEnd = (result: RunResult<unknown>) => Promise<"ended" | "steered">;

/** A turn that has begun and is not closed. */
export interface OpenTurn {
  readonly turn: number;
  readonly phase: PhaseKind;
  /** Those of its phase, growing. */
  readonly contents: readonly Content[];
  /** Index of the first that the turn added. */
  from: number;
  /** What becomes of a step is known after it. */
  readonly steps: { -readonly [Name in keyof TurnStep]: TurnStep[Name] }[];
  readonly calls: AnsweredCall[];
}

/** That an agent took over from another one. */
export interface Handover {
  /** Absent: the agent that began the run. */
  readonly from: string | undefined;
  readonly to: string;
  /** Name of the tool that was called. */
  readonly tool: string;
  /** Of the call. */
  readonly turn: number;
}

/** Everything one run needs, as the agent provides it. */
export interface LoopInput {
  readonly identity: RunIdentity;
  /** What the caller passes to tools, hooks and `approve`. */
  readonly context?: unknown;
  readonly model: Model;
  /** The model of the agent that began the run, if another one leads: it wrote what no other model did. */
  readonly author?: Model | undefined;
  /** What the run goes on with after a handover; undefined when that agent is not known any more. */
  readonly takeOver?: ((handover: Handover) => Promise<LoopInput | undefined>) | undefined;
  /** Chooses what this agent is sent of what was said before it took over. */
  readonly filter?: Handoff["filter"];
  readonly steps: Steps<RunEvent>;
  /** Those of the run's state. */
  readonly openTurns: readonly OpenTurn[];
  /** Turns that the state has already, whose events come first. */
  readonly closedTurns?: readonly ClosedTurn[] | undefined;
  /** Receives the run's own events, each of which waits for the reader; absent when nobody reads, and then no events are made. */
  readonly emit: Emit | undefined;
  /** Executes the steps of a run that has observers. */
  readonly observed?: StepExecutor | undefined;
  /** Called with the result before `run-end`; what it throws fails the run. */
  readonly beforeEnd?: BeforeEnd | undefined;
  readonly signal: AbortSignal;
  /** Aborts steps when the wall time is up. Set by the loop. */
  readonly clock?: WallClock | undefined;
  /** Number of contents before this run's own. */
  readonly historyLength: number;
  /** Identity under which sent contents are remembered. */
  readonly conversation: object;
  readonly instructions: string | undefined;
  readonly toolset: Toolset;
  readonly settings: ModelSettings;
  readonly toolChoice: ToolChoice;
  readonly output: OutputPlan | undefined;
  readonly limits: RunLimits;
  readonly session?: SharedLimits | undefined;
  /** Asked before each turn that was not made before. */
  readonly ownerBudget?: AskOwnerBudget | undefined;
  readonly prices?: PriceTable | undefined;
  readonly compaction?: CompactionPlan | undefined;
  readonly stopWhen: readonly StopRule[];
  readonly hooks: Hooks;
  /** Absent when there are none. */
  readonly guardrails?: Guardrails | undefined;
  /** Changes the requests of single turns. */
  readonly preparer?: TurnPreparer | undefined;
  /** Decides about calls that need approval; without it, the run suspends. */
  readonly approve?: Approve | undefined;
  /** Messages to the run while it is in progress. */
  readonly steering?: Steering | undefined;
  readonly logger: Logger;
  /** Milliseconds since the epoch, from a clock that never jumps during the run. Called inside steps only. */
  readonly now: () => number;
  /** The run is only read again from its journal: nobody is asked about what it left unfinished. */
  readonly isReading?: boolean | undefined;
}

/** A call, for a hook. */
export interface CallInfo<Context = unknown> extends RunContext<Context> {
  readonly turn: number;
  /** Unique in the run, such as `call:3.0`. */
  readonly callId: string;
  readonly call: FunctionCall;
}

/**
 * A hook's decision about a call: nothing to run it, a denial with a reason for the model, other arguments to run it with, or
 * an output to use instead of running it.
 */
export type CallDecision =
  | void
  | undefined
  | { readonly deny: string }
  | { readonly args: JsonObject }
  | { readonly output: unknown };

/**
 * Functions called at fixed points of a run. They may be async and are awaited, until the run is aborted. A hook that throws
 * ends the run with its error.
 */
export interface Hooks<Context = unknown> {
  /**
   * Before each request; returns what this turn does differently: another model, other tools, a tool choice, instructions, settings,
   * contents. Resuming does not call it again for recorded turns. @defaultValue none: all turns are alike
   */
  readonly prepareTurn?: PrepareTurn<Context> | undefined;
  /** Before each call; at the same time for parallel calls. */
  readonly beforeCall?: ((info: CallInfo<Context>) => CallDecision | Promise<CallDecision>) | undefined;
  /** After each call. May return another outcome. */
  readonly afterCall?:
    | ((
        info: CallInfo<Context> & { readonly outcome: ToolOutcome },
      ) => ToolOutcome | void | Promise<ToolOutcome | void>)
    | undefined;
}
