import { attachedTo, attachTo } from "../errors/agent-error.ts";
import type { UsageMetadata } from "../wire/types/generate-content.ts";

/** Tokens of one response, or summed over a run. */
export interface Usage {
  /** Answered model requests; of a run that failed on a broken answer, also those that were sent for it. */
  readonly requests: number;
  /** Prompt tokens, cached ones included. */
  readonly inputTokens: number;
  /** Of {@link Usage.inputTokens}, those read from a cache. */
  readonly cachedTokens: number;
  /** Visible output. */
  readonly outputTokens: number;
  /** Thinking; billed as output. */
  readonly thoughtTokens: number;
  /** Content added by the service's built-in tools; billed as input. */
  readonly toolUseTokens: number;
  /** The service's own total; equals input + output + thoughts + tool use. */
  readonly totalTokens: number;
  /** Prompt size of the latest request, in tokens: how full the context is. */
  readonly contextTokens: number;
  /** Web searches; billed individually. */
  readonly searchQueries: number;
  /** True when a stream ended early, so the figures are a lower bound. */
  readonly incomplete: boolean;
}

/** Token counters; the service leaves out those that are zero. */
const COUNTER = /Tokens?(?:Count|Details)$/;

/**
 * The usage of the chunks so far and of the next one. The token counters are those of the last chunk that has any, all together:
 * some streams restart their counts midway, and only counters of the same chunk add up. Every other field, such as Vertex's
 * `billablePromptUsage`, may come in a single chunk, and is kept.
 */
export function foldUsage(before: UsageMetadata, after: UsageMetadata): UsageMetadata {
  let hasCounters = false;
  for (const name in after) if (COUNTER.test(name)) hasCounters = true;
  let kept: Record<string, unknown> | undefined;
  for (const name in before) {
    if (Object.hasOwn(after, name) || (hasCounters && COUNTER.test(name))) continue;
    kept ??= {};
    kept[name] = before[name as keyof UsageMetadata];
  }
  return kept === undefined ? after : { ...kept, ...after };
}

/** Usage of one response, from that of its chunks, see {@link foldUsage}. */
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

/** Zero usage. */
export const NO_USAGE: Usage = { ...readUsage({}), requests: 0 };

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

const LOST = Symbol.for("pollux.lost");

/** Attaches to an error what the broken answers before it used. */
export function attachLost(error: unknown, lost: Usage | undefined): void {
  attachTo(error, LOST, lost);
}

/** What was attached to an error. */
export function lostBefore(error: unknown): Usage | undefined {
  return attachedTo(error, LOST) as Usage | undefined;
}
