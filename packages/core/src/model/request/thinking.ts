import { ConfigurationError } from "../../errors/agent-error.ts";
import type { ThinkingConfig } from "../../wire/types/generate-content.ts";
import type { ModelCapabilities } from "../capabilities.ts";
import type { Thinking } from "../settings.ts";

type Level = Exclude<Thinking, "off" | { readonly budget: number }>;

/** Token budgets for levels, on models that take a budget; clamped to the model's range. */
const LEVEL_BUDGETS: Readonly<Record<Level, number>> = {
  minimal: 512,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_768,
};

/**
 * Builds the thinking config, as a level or a budget, whichever the model takes.
 *
 * On Gemini 2.5 a level becomes a budget: 512 tokens for minimal, 1,024 for low, 8,192 for medium, 24,576 for high, 32,768
 * for xhigh, clamped to the model's range. "off" is a budget of 0, or the level minimal where a model has one.
 *
 * @returns `undefined` when the model's default applies.
 * @throws {ConfigurationError} When the model does not support the setting, naming what it supports.
 * @see https://ai.google.dev/gemini-api/docs/thinking
 */
export function buildThinkingConfig(
  thinking: Thinking | undefined,
  includeThoughts: boolean | undefined,
  capabilities: ModelCapabilities,
  modelId: string,
): ThinkingConfig | undefined {
  const thoughts = includeThoughts === true && capabilities.thinking !== "none" ? { includeThoughts } : undefined;
  const amount = thinking === undefined ? undefined : chooseAmount(thinking, capabilities, modelId);
  return thoughts === undefined && amount === undefined ? undefined : { ...thoughts, ...amount };
}

function chooseAmount(thinking: Thinking, facts: ModelCapabilities, modelId: string): ThinkingConfig | undefined {
  if (facts.thinking === "budget") return { thinkingBudget: chooseBudget(thinking, facts, modelId) };
  if (facts.thinking === "none") {
    if (thinking === "off") return undefined;
    throw new ConfigurationError(`${modelId} does not think: leave \`thinking\` out.`);
  }
  // Of a model that nobody knows, only the service can say what it takes.
  if (typeof thinking === "object" && facts.thinkingBudget !== undefined) return { thinkingBudget: thinking.budget };
  const level = chooseLevel(thinking, facts, modelId);
  // Every endpoint accepts upper case, but `xhigh` is documented in lower case only.
  return { thinkingLevel: level === "xhigh" ? level : level.toUpperCase() };
}

function chooseLevel(thinking: Thinking, { thinkingLevels: levels }: ModelCapabilities, modelId: string): string {
  const works = levels.map((level) => JSON.stringify(level)).join(", ");
  if (typeof thinking === "object")
    throw new ConfigurationError(`${modelId} accepts a thinking level, not a budget: use one of ${works}.`);
  const level = thinking === "off" ? "minimal" : thinking;
  if (levels.includes(level)) return level;
  throw new ConfigurationError(
    thinking === "off"
      ? `${modelId} cannot turn thinking off: use one of ${works}.`
      : `${modelId} does not accept thinking ${JSON.stringify(thinking)}: use one of ${works}.`,
  );
}

function chooseBudget(thinking: Thinking, { thinkingBudget: range }: ModelCapabilities, modelId: string): number {
  const { min, max, zero } = range ?? { min: 1, max: 24_576, zero: true };
  if (typeof thinking === "string" && thinking !== "off") return Math.min(Math.max(LEVEL_BUDGETS[thinking], min), max);
  const budget = thinking === "off" ? 0 : thinking.budget;
  if (budget === -1 || (budget === 0 && zero)) return budget;
  if (Number.isInteger(budget) && budget >= min && budget <= max) return budget;
  const works = `a budget from ${min} to ${max} tokens, -1 (the model decides)${zero ? ', "off"' : ""}, or a level such as "low"`;
  throw new ConfigurationError(
    budget === 0
      ? `${modelId} cannot turn thinking off: use ${works}.`
      : `A thinking budget of ${budget} does not work on ${modelId}: use ${works}.`,
  );
}
