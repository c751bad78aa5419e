import { ConfigurationError } from "../errors/agent-error.ts";
import { mixTools, type RunBuiltIn } from "../grounding/delegate.ts";
import type { Logger } from "../logging/logger.ts";
import { unknownName } from "../loop/turn/tool-choice.ts";
import type { TurnPreparer } from "../loop/turn/prepare-turn.ts";
import { gemini } from "../model/gemini-model.ts";
import type { Model } from "../model/model.ts";
import type { AnyTool } from "../tool/tool.ts";
import type { Toolset } from "../tool/toolset.ts";
import { checkTurnChanges } from "./check-options.ts";
import { type AgentOptions, type AnyRunOptions, pickChangedSettings } from "./options.ts";

/** Carries out what `prepareTurn` changes: finds the models and the tools that it names. */
export class TurnChanges {
  readonly #options: AgentOptions;
  readonly #model: Model;
  readonly #logger: Logger;
  readonly #ask: RunBuiltIn;
  /** Models that `prepareTurn` named, by id. */
  readonly #models: Map<string, Model> = new Map();

  /** @param ask - Runs a built-in tool alone, for models that do not accept it beside functions. */
  constructor(options: AgentOptions, model: Model, logger: Logger, ask: RunBuiltIn) {
    this.#options = options;
    this.#model = model;
    this.#logger = logger;
    this.#ask = ask;
  }

  /**
   * The preparer of a run's turns.
   *
   * @param listed - The run's tools, as they were given.
   * @param own - The same, as they are sent.
   */
  preparer(
    prepareTurn: NonNullable<AnyRunOptions["prepareTurn"]>,
    listed: readonly AnyTool[],
    own: Toolset,
  ): TurnPreparer {
    const byName = new Map<string, AnyTool>([...own.byName, ...listed.map((tool) => [tool.name, tool] as const)]);
    return {
      prepareTurn,
      modelFor: (model) => this.#modelFor(model),
      toolsetFor: (tools, { capabilities }) => {
        const chosen = tools.map((tool) => {
          if (typeof tool !== "string") return tool;
          const known = byName.get(tool);
          if (known === undefined) throw unknownName("prepareTurn", tool, new Set(byName.keys()));
          return known;
        });
        return mixTools(chosen, capabilities, this.#ask).toolset;
      },
      settingsIn: (changes) => {
        checkTurnChanges(changes);
        return pickChangedSettings(changes);
      },
    };
  }

  #modelFor(model: string | Model): Model {
    if (typeof model !== "string") return model;
    if (model === this.#model.id) return this.#model;
    const { model: own, endpoint, traffic } = this.#options;
    if (typeof own !== "string")
      throw new ConfigurationError(
        `prepareTurn chose "${model}", but the agent was given a model object, whose endpoint is its own: return gemini("${model}", …).`,
      );
    const known = this.#models.get(model) ?? gemini(model, { endpoint, traffic, logger: this.#logger });
    this.#models.set(model, known);
    return known;
  }
}
