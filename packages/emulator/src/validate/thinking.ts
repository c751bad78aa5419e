import { type Problem, problem } from "./problem.ts";
import type { Subject } from "./subject.ts";

/** Settings in the thinking config that the model rejects (E-60 to E-65): the first violated rule. */
export function thinkingProblem({ request, model }: Subject): Problem | undefined {
  const config = request.generationConfig?.thinkingConfig;
  if (!config) return undefined;
  const { thinkingLevel, thinkingBudget } = config;
  const { kind, levels, budget } = model.thinking;
  if (thinkingLevel !== undefined && thinkingBudget !== undefined) {
    return problem("E-63", "You can only set only one of thinking budget and thinking level.");
  }
  if (kind === "none") return noThinkingProblem(config, model.family);
  if (thinkingLevel !== undefined && thinkingLevel !== "THINKING_LEVEL_UNSPECIFIED")
    return levelProblem(thinkingLevel, kind, levels);
  return thinkingBudget === undefined ? undefined : budgetProblem(thinkingBudget, kind, budget);
}

/** `includeThoughts: false` alone has no effect, so it is accepted. */
function noThinkingProblem(
  config: {
    readonly thinkingLevel?: string | undefined;
    readonly thinkingBudget?: number | undefined;
    readonly includeThoughts?: boolean | undefined;
  },
  family: string,
): Problem | undefined {
  const asks = config.thinkingLevel !== undefined || Boolean(config.thinkingBudget) || config.includeThoughts === true;
  if (!asks) return undefined;
  const older = family === "gemini-1" || family === "gemini-2";
  if (older && config.thinkingLevel !== undefined)
    return problem("E-60", "Thinking level is not supported for this model.");
  return problem("E-65", "thinking_config is not supported");
}

function levelProblem(level: string, kind: string, levels: readonly string[]): Problem | undefined {
  if (kind !== "level") return problem("E-60", "Thinking level is not supported for this model.");
  if (levels.includes(level)) return undefined;
  return problem(
    "E-61",
    `Thinking level ${level} is not supported for this model. Please retry with other thinking level.`,
  );
}

function budgetProblem(
  value: number,
  kind: string,
  budget: { readonly min: number; readonly max: number; readonly zero: boolean } | undefined,
): Problem | undefined {
  if (!budget) return problem("E-64", "Thinking budget is not supported for this model.");
  if (value === -1) return undefined;
  if (value === 0)
    return budget.zero ? undefined : problem("E-62", "Budget 0 is invalid. This model only works in thinking mode.");
  if (value >= budget.min && value <= budget.max) return undefined;
  // Models with levels accept budgets for compatibility only, and get a different message.
  if (kind === "level") return problem("E-64", `thinking_budget must be in the range [-1, ${budget.max}]`);
  return problem(
    "E-64",
    `The thinking budget ${value} is invalid. Please choose a value between ${budget.min} and ${budget.max}.`,
  );
}
