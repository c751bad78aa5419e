import { attachedTo, attachTo, ConfigurationError } from "../errors/agent-error.ts";
import { present } from "../internal/json.ts";
import { checkOptions, namesIn, type OptionNames } from "../internal/option-names.ts";
import { findKnownModel } from "../wire/known-models.ts";
import type { UsageMetadata } from "../wire/types/generate-content.ts";

/** Tokens of one response, or summed over a run. */
export interface Usage {
  /** Answered model requests; if a run failed on a broken answer, also the requests for that answer. */
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

/** Token counters; the service leaves out zeros. */
const COUNTER = /Tokens?(?:Count|Details)$/;

/**
 * Usage of the chunks so far and the next one. All token counters come from the last chunk that has any, because some streams restart
 * their counts midway. Every other field may come in a single chunk, and is kept.
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

/** Usage of one response, from its metadata as {@link foldUsage} returns it. */
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

/** Attaches to an error the usage of the broken answers before it. */
export function attachLost(error: unknown, lost: Usage | undefined): void {
  attachTo(error, LOST, lost);
}

/** The usage that {@link attachLost} attached to an error. */
export function lostBefore(error: unknown): Usage | undefined {
  return attachedTo(error, LOST) as Usage | undefined;
}

/** Prices of a model, in any currency. All but `searchQuery` are per 1,000,000 tokens. */
export interface Prices {
  /** Prompt tokens. */
  readonly input: number;
  /** Prompt tokens read from a cache. @defaultValue as `input` */
  readonly cachedInput?: number | undefined;
  /** Tokens of the answer. */
  readonly output: number;
  /** Thinking. @defaultValue as `output` */
  readonly thoughts?: number | undefined;
  /** Content added by the service's built-in tools. @defaultValue as `input` */
  readonly toolUse?: number | undefined;
  /** One Google Search query. @defaultValue 0 */
  readonly searchQuery?: number | undefined;
}

/** Prices of several models, as of one day. */
export interface PriceList {
  /** The day on which these were the prices, such as `2026-11-23`. Results show it beside the cost. */
  readonly asOf: string;
  /** Code of the currency, such as `USD`. Results name it beside the cost. @defaultValue unknown */
  readonly currency?: string | undefined;
  /** By model id; `gemini-4-argon` is also for `gemini-4-argon-001`. Prices that change are in order, each with its first day, in UTC. */
  readonly models: { readonly [id: string]: Prices | readonly (Prices & { readonly from?: string | undefined })[] };
}

type ListedPrices = PriceList["models"][string];

/**
 * Prices of the only model; a list; or a function that returns the prices for the model version and time of a response.
 * If a list or function has no prices for a model, its cost is unknown and never counted as 0.
 */
export type PriceTable = Prices | PriceList | ((modelVersion: string, at: Date) => Prices | undefined);

/** A cost, and the prices behind it. */
export interface Cost {
  /** In the unit of the price table; absent without a table, or if the cost is unknown. */
  readonly cost?: number | undefined;
  /** A model that answered and has no price in the table, so that the cost is unknown. */
  readonly unpriced?: string | undefined;
  /** Day of the price list, such as `2026-11-23`; absent for other tables. */
  readonly pricesAsOf?: string | undefined;
  /** Code of its currency, such as `USD`; absent when the table names none. */
  readonly currency?: string | undefined;
}

/** The cost to show: none if only a part of it is known. */
export function knownCost({ cost = 0, unpriced, pricesAsOf, currency }: Cost): Cost {
  return present({ cost: cost > 0 && unpriced === undefined ? cost : undefined, unpriced, pricesAsOf, currency });
}

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

/** Looks up the prices of a model, if the table has any. @param at - In milliseconds since the epoch or as a date. @defaultValue now */
export function findPrices(
  table: PriceTable | undefined,
  modelVersion: string,
  at: number | Date = Date.now(),
): Prices | undefined {
  if (typeof table === "function") return table(modelVersion, new Date(at));
  if (table === undefined || !("models" in table)) return table;
  const id = modelVersion.slice(modelVersion.lastIndexOf("/") + 1);
  const key = [id, id.replace(/(?:-\d+)+$/, "")].find((name) => Object.hasOwn(table.models, name));
  const day = new Date(at).toISOString();
  return dated(table.models[key ?? ""]).findLast(({ from = "" }) => from <= day);
}

function dated(listed: ListedPrices = []): Exclude<ListedPrices, Prices> {
  return [listed].flat();
}

/** What an answer cost, or the id of its model when the table has no prices for it. */
export function priceUsage(
  table: PriceTable,
  usage: Usage,
  modelId: string,
  at: number,
): Pick<Cost, "cost" | "unpriced"> {
  const prices = findPrices(table, modelId, at);
  return prices === undefined ? { unpriced: modelId } : { cost: computeCost(usage, prices) };
}

/** The day and the currency to show beside a cost. */
export function asOf(table: PriceTable | undefined): Pick<Cost, "pricesAsOf" | "currency"> {
  if (typeof table !== "object" || !("asOf" in table)) return {};
  const { asOf: pricesAsOf, currency } = table;
  return { pricesAsOf, ...(currency !== undefined && { currency }) };
}

const PRICES: OptionNames<Prices> = namesIn("input output cachedInput thoughts toolUse searchQuery");

/** @throws {TypeError} Naming a price that does not exist, is missing, or is not a number of at least 0; or an invalid day. */
export function checkPrices(table: PriceTable): void {
  if (typeof table === "function") return;
  if (!("models" in table)) return checkModelPrices("prices", table);
  checkDay("prices.asOf", table.asOf);
  if (table.currency !== undefined && !/^[A-Z]{3}$/.test(table.currency))
    throw new TypeError(`prices.currency must be a code such as "USD", got ${JSON.stringify(table.currency)}`);
  for (const [id, listed] of Object.entries(table.models))
    dated(listed).reduce((last, { from = last, ...prices }) => {
      checkModelPrices(`prices.models["${id}"]`, prices);
      if (from !== "") checkDay(`prices.models["${id}"].from`, from, last);
      return from;
    }, "");
}

function checkDay(name: string, day: unknown, last: string = ""): void {
  if (typeof day !== "string" || !/^\d{4}-\d\d-\d\d$/.test(day) || day <= last)
    throw new TypeError(`${name} must be a day such as "2026-12-01", in order of time, got ${JSON.stringify(day)}`);
}

function checkModelPrices(where: string, prices: Prices): void {
  checkOptions(where, prices, PRICES);
  for (const name of ["input", "output"] as const)
    if (prices[name] === undefined) throw new TypeError(`${where}.${name} is missing`);
  for (const [name, price] of Object.entries(prices))
    if (price !== undefined && !(typeof price === "number" && price >= 0))
      throw new TypeError(`${where}.${name} must be a number of at least 0, got ${String(price)}`);
}

/** Checks that a cost limit can be enforced. @throws {ConfigurationError} Without prices, or without any for the model. */
export function requirePrices(limit: string, table: PriceTable | undefined, modelId: string): void {
  if (table === undefined) throw new ConfigurationError(`${limit} requires prices: pass a price table to the agent.`);
  const ids = [modelId, findKnownModel(modelId)?.routedTo ?? modelId];
  if (!/^(?:models\/)?gem(?:ini|ma)-(?!.*latest$)/.test(modelId) || ids.some((id) => findPrices(table, id))) return;
  throw new ConfigurationError(
    `${limit} requires prices of ${modelId}, which the price table does not have: add them.`,
  );
}

/** Per query from Gemini 3 on, after the free quota. */
const searchQuery = 0.014;
// Literals, not calls: bundlers keep a constant that calls a function, even an unused one.
const ARGON = [
  { input: 2, output: 10, cachedInput: 0.1, searchQuery },
  { input: 4, output: 20, cachedInput: 0.2, searchQuery, from: "2026-12-01" },
];
const NEW_FLASH = [
  { input: 0.75, output: 3.75, cachedInput: 0.075, searchQuery },
  { input: 1.5, output: 7.5, cachedInput: 0.15, searchQuery, from: "2027-01-01" },
];

/**
 * Google's list prices in US dollars for the standard tier, for the models whose price is known. An estimate, not a bill: it excludes cache
 * storage, other tiers, and the surcharges of some models for audio and for prompts of over 200,000 tokens. Gateways and contracts have
 * prices of their own: spread this and override.
 * @see https://ai.google.dev/gemini-api/docs/pricing
 */
export const googleListPrices: PriceList = {
  asOf: "2026-11-23",
  currency: "USD",
  models: {
    "gemini-3-flash-preview": { input: 0.5, output: 3, cachedInput: 0.05, searchQuery },
    "gemini-3.1-flash-lite": { input: 0.25, output: 1.5, cachedInput: 0.025, searchQuery },
    "gemini-3.1-pro-preview": { input: 2, output: 12, cachedInput: 0.2, searchQuery },
    "gemini-3.5-flash": { input: 1.5, output: 9, cachedInput: 0.15, searchQuery },
    "gemini-3.5-flash-lite": { input: 0.3, output: 2.5, cachedInput: 0.03, searchQuery },
    "gemini-3.6-flash": { input: 1.5, output: 7.5, cachedInput: 0.15, searchQuery },
    "gemini-3.7-flash": NEW_FLASH,
    "gemini-3.8-flash": NEW_FLASH,
    "gemini-4-argon": ARGON,
    "gemini-4-carbon": ARGON,
    "gemini-4-hydrogen": { input: 1.5, output: 7.5, searchQuery },
    "gemini-4-neon": { input: 3, output: 15, cachedInput: 0.15, searchQuery },
    "gemini-decision-1": { input: 0.1, output: 0 },
    "gemini-embedding-001": { input: 0.15, output: 0 },
    "gemini-embedding-2": { input: 0.2, output: 0 },
  },
};
