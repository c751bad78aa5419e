import { ConfigurationError } from "../errors/agent-error.ts";
import { mixTools, type RunBuiltIn } from "../grounding/delegate.ts";
import type { Logger } from "../logging/logger.ts";
import type { PrepareTurn, TurnPreparer } from "../loop/turn/turn-info.ts";
import { unknownName } from "../loop/turn/tool-choice.ts";
import { gemini } from "../model/gemini-model.ts";
import type { Model } from "../model/model.ts";
import type { AnyTool } from "../tool/tool.ts";
import type { AgentHead } from "./agent-head.ts";
import { checkTurnChanges } from "./check-options.ts";
import type { AgentOptions } from "./options.ts";

/** The preparer of a run's turns: carries out what `prepareTurn` changes. */
export function prepareTurns(
  prepareTurn: PrepareTurn,
  { toolset, listed }: Pick<AgentHead, "toolset" | "listed">,
  { modelFor, ask }: { readonly modelFor: (model: string | Model) => Model; readonly ask: RunBuiltIn },
): TurnPreparer {
  // As they were given, and as they are sent.
  const byName = new Map<string, AnyTool>([...toolset.byName, ...listed.map((tool) => [tool.name, tool] as const)]);
  return {
    prepareTurn,
    modelFor,
    toolsetFor: (tools, { capabilities }) => {
      const chosen = tools.map((tool) => {
        if (typeof tool !== "string") return tool;
        const known = byName.get(tool);
        if (known === undefined) throw unknownName("prepareTurn", tool, new Set(byName.keys()));
        return known;
      });
      return mixTools(chosen, capabilities, ask).toolset;
    },
    settingsIn: (changes) => {
      checkTurnChanges(changes);
      return changes.settings ?? {};
    },
  };
}

/** Finds the models that `prepareTurn` names; each is made once. */
export function modelFinder(
  { model: own, endpoint }: AgentOptions,
  agentModel: Model,
  logger: Logger,
): (model: string | Model) => Model {
  const models = new Map([[agentModel.id, agentModel]]);
  return (model) => {
    if (typeof model !== "string") return model;
    const known = models.get(model);
    if (known !== undefined) return known;
    if (typeof own !== "string")
      throw new ConfigurationError(
        `prepareTurn chose "${model}", but the agent was given a model object, whose endpoint is its own: return gemini("${model}", …).`,
      );
    const made = gemini(model, { endpoint, logger });
    models.set(model, made);
    return made;
  };
}
