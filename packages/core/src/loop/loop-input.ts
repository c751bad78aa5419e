import type { AnsweredCall, ClosedTurn, TurnStep } from "../durable/closed-turn.ts";
import type { PhaseKind } from "../durable/run-log.ts";
import type { Steering, Steps } from "../durable/steps.ts";
import type { Logger } from "../logging/logger.ts";
import type { Model, ModelRequest } from "../model/model.ts";
import type { PriceTable, Usage } from "../model/usage.ts";
import type { ModelSettings } from "../model/settings.ts";
import type { AfterUntrusted } from "../tool/reads.ts";
import type { AnyTool, Approve, Handoff, NestedRun, ParentStep, Rehearsal, ToolOutcome } from "../tool/tool.ts";
import type { Toolset } from "../tool/toolset.ts";
import type { ModelId } from "../wire/known-models.ts";
import type { Content, FunctionCall, JsonObject } from "../wire/types/content.ts";
import type { JsonSchema } from "../wire/types/declaration.ts";
import type { CompactionOptions } from "./turn/compaction.ts";
import type { Emit, RunEvent } from "./events.ts";
import type { Guardrails } from "./guardrails.ts";
import type { RunBounds, RunLimits, StopRule, WallClock } from "./limits.ts";
import type { RunResult } from "./result.ts";
import type { RunContext, RunIdentity } from "../tool/run-context.ts";
import type { StepExecutor } from "./observers/observed-step.ts";

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

/** Called with the result of a run before it reports its end. @returns `steered` when something arrived meanwhile: the run continues first. */
export type BeforeEnd = (result: RunResult<unknown>) => Promise<"ended" | "steered">;

/** A turn that has begun and is not closed. */
export interface OpenTurn {
  readonly turn: number;
  readonly phase: PhaseKind;
  /** The contents of its phase, growing. */
  readonly contents: readonly Content[];
  /** Index of the first content that the turn added. */
  from: number;
  /** Not readonly: what happens to an answer is known only after its step. */
  readonly steps: { -readonly [Name in keyof TurnStep]: TurnStep[Name] }[];
  readonly calls: AnsweredCall[];
}

/** An agent took over from another one. */
export interface Handover {
  /** Absent: the agent that began the run. */
  readonly from: string | undefined;
  readonly to: string;
  /** Name of the tool that was called. */
  readonly tool: string;
  /** Turn of the call. */
  readonly turn: number;
}

/** Everything one run needs, as the agent provides it. */
export interface LoopInput extends RunBounds {
  readonly identity: RunIdentity;
  /** What the caller passes to tools, hooks and `approve`. */
  readonly context?: unknown;
  readonly model: Model;
  /** The model of the agent that began the run, if another one leads: the author of contents without a recorded model. */
  readonly author?: Model | undefined;
  /** Returns the input of the agent that takes over; undefined when that agent is no longer known. */
  readonly takeOver?: ((handover: Handover) => Promise<LoopInput | undefined>) | undefined;
  /** Chooses which of the contents before its takeover this agent gets. */
  readonly filter?: Handoff["filter"];
  readonly steps: Steps<RunEvent>;
  /** The open turns of the run's state. */
  readonly openTurns: readonly OpenTurn[];
  /** Turns that are already in the state; their events come first. */
  readonly closedTurns?: readonly ClosedTurn[] | undefined;
  /** Receives the run's own events, each of which waits for the reader; absent when nobody reads: no events are made then. */
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
  /** What happens to an outside call after the model has read untrusted content. @defaultValue "ask" */
  readonly afterUntrusted?: AfterUntrusted | undefined;
  /** Untrusted content decides nothing: the run that is replayed was made by an older loop, which did not have this check. */
  readonly isTrusting?: boolean | undefined;
  /** The step of another run that contains this one. */
  readonly parent?: ParentStep | undefined;
  /** Replaces the outside world for the run. */
  readonly rehearsal?: Rehearsal | undefined;
  /** Messages to the run while it is in progress. */
  readonly steering?: Steering | undefined;
  readonly logger: Logger;
  /** Milliseconds since the epoch, from a clock that never jumps during the run. Called inside steps only. */
  readonly now: () => number;
}

/** A call, for a hook. */
export interface CallInfo<Context = unknown> extends RunContext<Context> {
  readonly turn: number;
  /** Unique in the run, such as `call:3.0`. */
  readonly callId: string;
  readonly call: FunctionCall;
}

/** A hook's decision about a call: nothing to run it, a denial with a reason for the model, other arguments, or an output to use instead. */
export type CallDecision =
  | void
  | undefined
  | { readonly deny: string }
  | { readonly args: JsonObject }
  | { readonly output: unknown };

/** Functions called at fixed points of a run. They may be async and are awaited, until the run is aborted. One that throws ends the run. */
export interface Hooks<Context = unknown> {
  /** Before each request; returns what this turn does differently. Resuming does not call it again for recorded turns. @defaultValue none */
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

/**
 * Whether the model may or must call functions: `auto`, it decides; `none`, it calls none, in any turn; `required`, it must call one in the
 * first turn; `{ only: ["get_weather"] }`, one of these. Turns after the first are `auto`, because a model that must call never answers;
 * `prepareTurn` can force calls in any turn.
 */
export type ToolChoice = "auto" | "required" | "none" | { readonly only: readonly string[] };

/** A turn whose request is about to be sent. */
export interface TurnInfo<Context = unknown> extends RunContext<Context> {
  /** From 1. */
  readonly turn: number;
  /** 0; higher when the turn's answer was unusable and the model is asked again. */
  readonly attempt: number;
  /** `output` for the request that converts the answer to the schema: it takes no tools. Otherwise `work`. */
  readonly phase: PhaseKind;
  /** Id of the agent's model. */
  readonly model: string;
  /** What the request would send, oldest first, including messages that arrived during the run. */
  readonly contents: readonly Content[];
  /** Function calls of the run so far. */
  readonly toolCalls: number;
  /** Sum over the run so far. */
  readonly usage: Usage;
}

/** What one turn does differently. Absent members stay as they are. The next turn starts from the agent's options again. */
export interface TurnChanges<Context = unknown> {
  /** A model made by `gemini()`, or an id at the agent's endpoint. */
  readonly model?: ModelId | Model | undefined;
  readonly instructions?: string | undefined;
  /** The tools that the model may call: names of the run's tools, and other tools. Names alone leave the declarations, and the prefix, in place. */
  readonly tools?: readonly (string | AnyTool<Context>)[] | undefined;
  /** For this turn, also after the first. */
  readonly toolChoice?: ToolChoice | undefined;
  /** A setting that is `undefined` is unset; the others stay as they are. A cache can't change during a run. */
  readonly settings?: Omit<ModelSettings, "cachedContent"> | undefined;
  /** Sent instead of the history, which keeps everything. */
  readonly contents?: readonly Content[] | undefined;
}

/** Prepares one turn; returns what to change, or nothing. */
export type PrepareTurn<Context = unknown> = (
  turn: TurnInfo<Context>,
) => TurnChanges<Context> | void | undefined | Promise<TurnChanges<Context> | void | undefined>;

/** `prepareTurn`, and what the agent does to carry out its changes. */
export interface TurnPreparer {
  readonly prepareTurn: PrepareTurn;
  modelFor(model: string | Model): Model;
  /** @throws {ConfigurationError} For the name of a tool that the run does not have. */
  toolsetFor(tools: readonly (string | AnyTool)[], model: Model): Toolset;
  settingsIn(changes: TurnChanges): ModelSettings;
}

/** The contents of the last request, and what precedes them in it. */
export interface SentPrefix extends Pick<ModelRequest, "instructions" | "functions" | "builtIns" | "contents"> {
  readonly model: Model;
  readonly isEdited: boolean;
}
