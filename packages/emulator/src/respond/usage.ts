import type { UsageMetadata } from "@pollux/core/wire";
import type { Profile } from "../validate/types.ts";
import type { PromptCost } from "./prompt-cache.ts";

/** The numbers in a usage object. */
export interface UsageNumbers {
  readonly cost: PromptCost;
  readonly candidatesTokens: number;
  readonly thoughtTokens: number;
  readonly toolUseTokens: number;
  /** Modality of the answer. Default: `TEXT`. */
  readonly modality?: string | undefined;
}

/** Usage in the service's format: zero fields omitted, total = prompt + candidates + thoughts + tool use. */
export function usageMetadata(numbers: UsageNumbers, profile: Profile): UsageMetadata {
  const { cost, candidatesTokens, thoughtTokens, toolUseTokens, modality } = numbers;
  const promptTokens = cost.prompt.total;
  const cloud = profile === "vertex" || profile === "comet";
  const textOnly = (tokenCount: number) => [{ modality: "TEXT", tokenCount }];
  return {
    ...(promptTokens > 0 && { promptTokenCount: promptTokens }),
    ...(candidatesTokens > 0 && { candidatesTokenCount: candidatesTokens }),
    totalTokenCount: promptTokens + candidatesTokens + thoughtTokens + toolUseTokens,
    ...(cost.cachedTokens > 0 && { cachedContentTokenCount: cost.cachedTokens }),
    ...(cloud && { trafficType: "ON_DEMAND" }),
    ...(promptTokens > 0 && { promptTokensDetails: cost.prompt.details }),
    // With cached contents, Vertex has been seen to omit these details.
    ...(cost.cachedTokens > 0 &&
      !(cloud && cost.cachedDetails) && { cacheTokensDetails: cost.cachedDetails ?? textOnly(cost.cachedTokens) }),
    ...(candidatesTokens > 0 &&
      (cloud || modality !== undefined) && {
        candidatesTokensDetails: [{ modality: modality ?? "TEXT", tokenCount: candidatesTokens }],
      }),
    ...(toolUseTokens > 0 && {
      toolUsePromptTokenCount: toolUseTokens,
      toolUsePromptTokensDetails: textOnly(toolUseTokens),
    }),
    ...(thoughtTokens > 0 && { thoughtsTokenCount: thoughtTokens }),
    ...(!cloud && { serviceTier: "standard" }),
  };
}
