import { checkOptions, type OptionNames } from "../internal/option-names.ts";
import type { UsageMetadata } from "../wire/types/generate-content.ts";

/** Tokens of one response, or summed over a run. */
export interface Usage {
  /** Answered model requests. */
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

/** Zero usage. */
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

/** Prices of a model, in any currency. All but `searchQuery` are per 1,000,000 tokens. */
export interface Prices {
  readonly input: number;
  /** Prompt tokens read from a cache. @defaultValue as `input` */
  readonly cachedInput?: number | undefined;
  readonly output: number;
  /** Thinking. @defaultValue as `output` */
  readonly thoughts?: number | undefined;
  /** Content added by the service's built-in tools. @defaultValue as `input` */
  readonly toolUse?: number | undefined;
  /** One Google Search query. @defaultValue 0 */
  readonly searchQuery?: number | undefined;
}

/** Prices, or a function from the model version of the response to its prices; `undefined` if unknown. */
export type PriceTable = Prices | ((modelVersion: string) => Prices | undefined);

/** Cost of some usage. */
export function computeCost(usage: Usage, prices: Prices): number {
  const { input, output } = prices;
  const tokens =
    (usage.inputTokens - usage.cachedTokens) * input +
    usage.cachedTokens * (prices.cachedInput ?? input) +
    usage.outputTokens * output +
    usage.thoughtTokens * (prices.thoughts ?? output) +
    usage.toolUseTokens * (prices.toolUse ?? input);
  return tokens / 1_000_000 + usage.searchQueries * (prices.searchQuery ?? 0);
}

/** Looks up the prices of a model. */
export function findPrices(table: PriceTable | undefined, modelVersion: string): Prices | undefined {
  return typeof table === "function" ? table(modelVersion) : table;
}

const PRICES: OptionNames<Prices> = {
  input: true,
  cachedInput: true,
  output: true,
  thoughts: true,
  toolUse: true,
  searchQuery: true,
};

/** @throws {TypeError} Naming a price that does not exist, is missing, or is not a number of at least 0. */
export function checkPrices(table: PriceTable | undefined): void {
  if (table === undefined || typeof table === "function") return;
  checkOptions("prices", table, PRICES);
  for (const name of ["input", "output"] as const)
    if (table[name] === undefined) throw new TypeError(`prices.${name} is missing`);
  for (const [name, price] of Object.entries(table))
    if (price !== undefined && !(typeof price === "number" && price >= 0))
      throw new TypeError(`prices.${name} must be a number of at least 0, got ${String(price)}`);
}
