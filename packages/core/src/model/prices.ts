import type { Usage } from "./usage.ts";

/** What a model costs, in any unit of money. All but `searchQuery` are for 1,000,000 tokens. */
export interface Prices {
  readonly input: number;
  /** Prompt tokens read from a cache. @defaultValue as `input` */
  readonly cachedInput?: number | undefined;
  readonly output: number;
  /** Thinking. @defaultValue as `output` */
  readonly thoughts?: number | undefined;
  /** What the service's own tools pull in. @defaultValue as `input` */
  readonly toolUse?: number | undefined;
  /** One query of Google Search; billed apiece. @defaultValue 0 */
  readonly searchQuery?: number | undefined;
}

/** Prices by the model that answered, as the response names it; `undefined` for one that has none. */
export type PriceTable = Prices | ((modelVersion: string) => Prices | undefined);

/** What some usage costs. */
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

/** The prices of one model in a table. */
export function findPrices(table: PriceTable | undefined, modelVersion: string): Prices | undefined {
  return typeof table === "function" ? table(modelVersion) : table;
}

/** @throws {TypeError} Naming the price that is no number of at least 0. */
export function checkPrices(table: PriceTable | undefined): void {
  if (table === undefined || typeof table === "function") return;
  for (const [name, price] of Object.entries(table)) {
    if (price !== undefined && !(typeof price === "number" && price >= 0))
      throw new TypeError(`prices.${name} must be a number of at least 0, got ${String(price)}`);
  }
}
