import type { PhaseKind } from "../../durable/run-log.ts";
import type { Model, ModelRequest } from "../../model/model.ts";
import type { ModelSettings } from "../../model/settings.ts";
import type { Usage } from "../../model/usage.ts";
import type { AnyTool } from "../../tool/tool.ts";
import type { Toolset } from "../../tool/toolset.ts";
import type { ModelId } from "../../wire/known-models.ts";
import type { Content } from "../../wire/types/content.ts";
import type { RunContext } from "../../tool/run-context.ts";

/**
 * Whether the model may or must call functions:
 *
 * - `auto`: it decides.
 * - `required`: it must call a function in the first turn of the run.
 * - `{ only: ["get_weather"] }`: it must call one of these in the first turn.
 * - `none`: it calls none, in any turn.
 *
 * Turns after the first are `auto`, because a model that must call never answers; `prepareTurn` can force calls in any turn.
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
  /**
   * The tools that the model may call: names of the run's tools, and other tools. Names alone leave the declarations in place where
   * the model allows it, so the prefix stays.
   */
  readonly tools?: readonly (string | AnyTool<Context>)[] | undefined;
  /** For this turn, whichever it is. */
  readonly toolChoice?: ToolChoice | undefined;
  /** One that is `undefined` is unset; the others stay as they are. A cache is the run's. */
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

/** What stands before the contents, and the contents, as the last request had them. */
export interface SentPrefix extends Pick<ModelRequest, "instructions" | "functions" | "builtIns" | "contents"> {
  readonly model: Model;
  readonly isEdited: boolean;
}
