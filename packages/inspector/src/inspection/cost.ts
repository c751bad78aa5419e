import { computeCost, type PriceList, type PriceTable, type Usage } from "@pollux/core";
import { addUsage, findPrices, NO_USAGE } from "@pollux/core/model";
import { type Fields, fieldsOf, isFields, listOf, numberOf, textOf } from "./read-values.ts";
import { readUsage } from "./usage.ts";

/** What something cost. Parts add up to their whole, also where something has no price. */
export interface Priced {
  /** What is known of it; absent where nothing is. */
  readonly cost?: number | undefined;
  /** What has no price, and is not in `cost`: the id of a model, or in words. */
  readonly unpriced?: string | undefined;
  /** Of `cost`, what no run has recorded: it is by the prices given to the inspector. */
  readonly pricedHere?: number | undefined;
}

/** What a cost is to be read with. */
export interface MoneyFacts {
  /** Code of the currency, such as `USD`; absent when nobody says it, or parts have different ones. */
  readonly currency?: string | undefined;
  /** Day of the price list, as `2026-11-23`; of several, the last one's. */
  readonly pricesAsOf?: string | undefined;
}

/** Something that was paid for: an answer of the model, a run inside a step, broken answers. */
export interface Bill {
  readonly usage: Usage;
  /** As the run recorded it. */
  readonly recorded: number | undefined;
  /** By the prices given to the inspector. */
  readonly here: number | undefined;
  /** What has no price. */
  readonly name: string;
  /** An answer of the run itself: it may have found its price later, in a total of the run. */
  readonly isAnswer: boolean;
}

/** What prices what a run did not record. */
export interface Pricing {
  readonly prices: PriceTable | undefined;
  /** The model of the run. */
  readonly model: string;
}

/** What a step was billed for, by what it recorded. @param at - When its entry was written, in milliseconds since the epoch. */
export function billsOfStep(value: Fields, isModelStep: boolean, at: number, pricing: Pricing): readonly Bill[] {
  const nested = listOf(value["nested"]).map((run) => billOfNested(fieldsOf(run), at, pricing));
  if (!isModelStep || !isFields(value["response"])) return nested;
  const { usage: told, envelope } = fieldsOf(value["response"]);
  const { model } = fieldsOf(value["prepared"]);
  const asked = textOf(fieldsOf(model)["id"]) ?? textOf(value["unpriced"]) ?? pricing.model;
  const name = textOf(fieldsOf(envelope)["modelVersion"]) ?? asked;
  const usage = readUsage(told);
  const here = priceOf(usage, name, numberOf(value["endedAt"]) ?? at, pricing);
  return [{ usage, recorded: numberOf(value["cost"]), here, name, isAnswer: true }, ...nested];
}

/** What broken answers used before a run failed. Which model gave them is not known, so it is taken to be the run's. */
export function billOfLost(lost: Fields, at: number, pricing: Pricing): Bill {
  const usage = readUsage(lost["usage"]);
  const name = textOf(lost["unpriced"]) ?? pricing.model;
  const here = priceOf(usage, name, at, pricing);
  return { usage, recorded: numberOf(lost["cost"]), here, name, isAnswer: false };
}

/** Its model is known where the log has all its answers. */
function billOfNested({ usage: told, cost, unpriced, responses }: Fields, at: number, pricing: Pricing): Bill {
  const usage = readUsage(told);
  const answers = listOf(responses).map((response) => {
    const { usage: used, envelope } = fieldsOf(response);
    return { usage: readUsage(used), name: textOf(fieldsOf(envelope)["modelVersion"]) ?? "" };
  });
  const known = answers.reduce((sum, answer) => addUsage(sum, answer.usage), NO_USAGE);
  const isWhole = known.requests === usage.requests && known.totalTokens === usage.totalTokens;
  const costs = isWhole ? answers.map((answer) => priceOf(answer.usage, answer.name, at, pricing)) : [undefined];
  const here = costs.reduce((sum, one) => (sum === undefined || one === undefined ? undefined : sum + one), 0);
  return {
    usage,
    recorded: numberOf(cost),
    here,
    name: textOf(unpriced) ?? "a run inside a call",
    isAnswer: false,
  };
}

function priceOf(usage: Usage, model: string, at: number, { prices }: Pricing): number | undefined {
  const found = findPrices(prices, model, at);
  return found && computeCost(usage, found);
}

/**
 * What bills come to. What a run recorded stands; the prices given to the inspector are for what it did not price.
 *
 * @param isTold - The run recorded what it cost in all, with the price of each answer that has none here.
 */
export function sumBills(bills: Iterable<Bill>, isTold: boolean): Priced {
  return addPriced(
    [...bills].map(({ usage, recorded, here, name, isAnswer }): Priced => {
      if (recorded !== undefined) return { cost: recorded };
      if ((isAnswer && isTold) || (usage.requests === 0 && usage.totalTokens === 0)) return {};
      return here === undefined ? { unpriced: name } : { cost: here, pricedHere: here };
    }),
  );
}

/** What they used. The context of a run inside a step, and of a broken answer, is not the run's. */
export function sumUsage(bills: readonly Bill[]): Usage {
  return bills.reduce((sum, { usage, isAnswer }) => {
    const { contextTokens } = isAnswer && usage.contextTokens > 0 ? usage : sum;
    return { ...addUsage(sum, usage), contextTokens };
  }, NO_USAGE);
}

/** What some bills' runs have recorded of them. */
export function sumRecorded(bills: Iterable<Bill>): number {
  let sum = 0;
  for (const { recorded = 0 } of bills) sum += recorded;
  return sum;
}

/** The whole of some parts. */
export function addPriced(parts: readonly Priced[]): Priced {
  const sum = (values: readonly (number | undefined)[]): number | undefined =>
    values.reduce((total, value) => (value === undefined ? total : (total ?? 0) + value), undefined);
  return {
    cost: sum(parts.map(({ cost }) => cost)),
    unpriced: parts.find(({ unpriced }) => unpriced !== undefined)?.unpriced,
    pricedHere: sum(parts.map(({ pricedHere }) => pricedHere)),
  };
}

/** The one currency of all parts that cost something; undefined where they differ, or one is not known. */
export function currencyOf(
  parts: Iterable<{ readonly cost?: number | undefined; readonly currency?: string | undefined }>,
): string | undefined {
  const found = new Set<string | undefined>();
  for (const { cost = 0, currency } of parts) if (cost > 0) found.add(currency);
  return found.size === 1 ? [...found][0] : undefined;
}

/** What a list of prices says of itself; other tables say nothing. */
export function describeList(prices: PriceTable | undefined): Partial<Pick<PriceList, "asOf" | "currency">> {
  return typeof prices === "object" && "asOf" in prices ? prices : {};
}

/** True for a difference that is more than how numbers are added up. */
export function isMoney(difference: number, whole: number): boolean {
  return Math.abs(difference) > 1e-9 * Math.max(1, Math.abs(whole)) && Math.abs(difference) > 1e-12;
}

/** Money with at least two digits that say something: `$0.0012`; without a sign where the currency is not known. */
export function formatMoney(cost: number, currency?: string): string {
  const sign = currency === undefined ? "" : signOf(currency);
  const amount = Math.abs(cost);
  const minus = cost < 0 ? "-" : "";
  if (amount === 0) return `${sign}0`;
  if (amount < 0.000_001) return `${minus}<${sign}0.000001`;
  const decimals = amount >= 1 ? 2 : Math.max(2, Math.min(8, 1 - Math.floor(Math.log10(amount))));
  return `${minus}${sign}${amount.toFixed(decimals)}`;
}

/** What is known of a cost: `≥ $0.0012` where a part has no price, `–` where nothing has one. */
export function formatCost({ cost, unpriced }: Priced, currency?: string): string {
  if (cost === undefined) return "–";
  return `${unpriced === undefined ? "" : "≥ "}${formatMoney(cost, currency)}`;
}

/** `$`, `€`, or `CHF ` where there is no sign. */
function signOf(currency: string): string {
  if (!/^[A-Z]{3}$/.test(currency)) return `${currency} `;
  const parts = new Intl.NumberFormat("en-US", { style: "currency", currency }).formatToParts(0);
  const sign = parts.find(({ type }) => type === "currency")?.value ?? currency;
  return /[A-Za-z]$/.test(sign) ? `${sign} ` : sign;
}
