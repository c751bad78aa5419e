import type { UsageMetadata } from "../wire/types/generate-content.ts";

/** Tokens of one response, or summed over a run. */
export interface Usage {
  /** Model requests that were answered. */
  readonly requests: number;
  /** Prompt tokens, cached ones included. */
  readonly inputTokens: number;
  /** Of {@link Usage.inputTokens}, those read from a cache. */
  readonly cachedTokens: number;
  /** Visible output. */
  readonly outputTokens: number;
  /** Thinking; billed as output. */
  readonly thoughtTokens: number;
  /** Content pulled in by the service's own tools; billed as input. */
  readonly toolUseTokens: number;
  /** The service's own total; equals input + output + thoughts + tool use. */
  readonly totalTokens: number;
  /** Prompt size of the latest request, in tokens: how full the context is. */
  readonly contextTokens: number;
  /** Web searches that were made; billed apiece. */
  readonly searchQueries: number;
  /** True when a stream died early, so that the figures are a lower bound. */
  readonly incomplete: boolean;
}

/** Nothing used yet. */
export const NO_USAGE: Usage = {
  requests: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  thoughtTokens: 0,
  toolUseTokens: 0,
  totalTokens: 0,
  contextTokens: 0,
  searchQueries: 0,
  incomplete: false,
};

/** Usage of one response. The last chunk's object is the whole truth (chunks are never summed). */
export function readUsage(metadata: UsageMetadata | undefined, searchQueries = 0): Usage {
  const inputTokens = metadata?.promptTokenCount ?? 0;
  const outputTokens = metadata?.candidatesTokenCount ?? 0;
  const thoughtTokens = metadata?.thoughtsTokenCount ?? 0;
  const toolUseTokens = metadata?.toolUsePromptTokenCount ?? 0;
  return {
    requests: 1,
    inputTokens,
    cachedTokens: metadata?.cachedContentTokenCount ?? 0,
    outputTokens,
    thoughtTokens,
    toolUseTokens,
    totalTokens: metadata?.totalTokenCount ?? inputTokens + outputTokens + thoughtTokens + toolUseTokens,
    contextTokens: inputTokens,
    searchQueries,
    incomplete: metadata === undefined,
  };
}

/** Sum over a run; `contextTokens` is the later one's. */
export function addUsage(sum: Usage, next: Usage): Usage {
  return {
    requests: sum.requests + next.requests,
    inputTokens: sum.inputTokens + next.inputTokens,
    cachedTokens: sum.cachedTokens + next.cachedTokens,
    outputTokens: sum.outputTokens + next.outputTokens,
    thoughtTokens: sum.thoughtTokens + next.thoughtTokens,
    toolUseTokens: sum.toolUseTokens + next.toolUseTokens,
    totalTokens: sum.totalTokens + next.totalTokens,
    contextTokens: next.contextTokens,
    searchQueries: sum.searchQueries + next.searchQueries,
    incomplete: sum.incomplete || next.incomplete,
  };
}
