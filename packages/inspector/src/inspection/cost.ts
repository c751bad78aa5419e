import { computeCost, type PriceList, type PriceTable, type Usage } from "@pollux/core";
import { addUsage, findPrices, NO_USAGE } from "@pollux/core/model";
import { type Fields, fieldsOf, isFields, listOf, numberOf, textOf } from "./read-values.ts";
import { readUsage } from "./usage.ts";

/** What something cost. Parts add up to their whole, even if some have no price. */
export interface Priced {
  /** The known part; absent when no part is known. */
  readonly cost?: number | undefined;
  /** Names something without a price, which `cost` leaves out: the id of a model, or a description. */
  readonly unpriced?: string | undefined;
  /** The part of `cost` that no run recorded, computed from the prices given to the inspector. */
  readonly pricedHere?: number | undefined;
}

/** How to read a cost. */
export interface MoneyFacts {
  /** Code of the currency, such as `USD`; absent when unknown, or when parts have different ones. */
  readonly currency?: string | undefined;
  /** Day of the price list, as `2026-11-23`; the latest of several. */
  readonly pricesAsOf?: string | undefined;
}

/** Something that was paid for: an answer of the model, a run inside a step, broken answers. */
export interface Bill {
  readonly usage: Usage;
  /** As the run recorded it. */
  readonly recorded: number | undefined;
  /** By the prices given to the inspector. */
  readonly here: number | undefined;
  /** Names it when it has no price. */
  readonly name: string;
  /** An answer of the run itself: a later total of the run may include its price. */
  readonly isAnswer: boolean;
}

/** Prices for what a run did not price. */
export interface Pricing {
  readonly prices: PriceTable | undefined;
  /** The model of the run. */
  readonly model: string;
}

/** The bills of a step, from its recorded value. @param at - When its entry was written, in milliseconds since the epoch. */
export function billsOfStep(value: Fields, isModelStep: boolean, at: number, pricing: Pricing): readonly Bill[] {
  const nested = listOf(value["nested"]).map((run) => billOfNested(fieldsOf(run), at, pricing));
  if (!isModelStep || !isFields(value["response"])) return nested;
  const { usage: stored, envelope } = fieldsOf(value["response"]);
  const { model } = fieldsOf(value["prepared"]);
  const requested = textOf(fieldsOf(model)["id"]) ?? textOf(value["unpriced"]) ?? pricing.model;
  const name = textOf(fieldsOf(envelope)["modelVersion"]) ?? requested;
  const usage = readUsage(stored);
  const here = priceOf(usage, name, numberOf(value["endedAt"]) ?? at, pricing);
  return [{ usage, recorded: numberOf(value["cost"]), here, name, isAnswer: true }, ...nested];
}

/** The bill of broken answers before a run failed. The log doesn't name their model, so the run's is assumed. */
export function billOfLost(lost: Fields, at: number, pricing: Pricing): Bill {
  const usage = readUsage(lost["usage"]);
  const name = textOf(lost["unpriced"]) ?? pricing.model;
  const here = priceOf(usage, name, at, pricing);
  return { usage, recorded: numberOf(lost["cost"]), here, name, isAnswer: false };
}

/** Its models are known if the log has all its answers. */
function billOfNested({ usage: stored, cost, unpriced, responses }: Fields, at: number, pricing: Pricing): Bill {
  const usage = readUsage(stored);
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
 * Adds up bills. Recorded costs stand; the prices given to the inspector fill in the rest.
 *
 * @param hasTotal - The run recorded a total that includes its answers without a cost of their own.
 */
export function sumBills(bills: Iterable<Bill>, hasTotal: boolean): Priced {
  return addPriced(
    [...bills].map(({ usage, recorded, here, name, isAnswer }): Priced => {
      if (recorded !== undefined) return { cost: recorded };
      if ((isAnswer && hasTotal) || (usage.requests === 0 && usage.totalTokens === 0)) return {};
      return here === undefined ? { unpriced: name } : { cost: here, pricedHere: here };
    }),
  );
}

/** Adds up usage. Contexts of runs inside a step and of broken answers are not the run's. */
export function sumUsage(bills: readonly Bill[]): Usage {
  return bills.reduce((sum, { usage, isAnswer }) => {
    const { contextTokens } = isAnswer && usage.contextTokens > 0 ? usage : sum;
    return { ...addUsage(sum, usage), contextTokens };
  }, NO_USAGE);
}

/** The recorded part of some bills. */
export function sumRecorded(bills: Iterable<Bill>): number {
  let sum = 0;
  for (const { recorded = 0 } of bills) sum += recorded;
  return sum;
}

/** Adds up parts. */
export function addPriced(parts: readonly Priced[]): Priced {
  return {
    cost: sumKnown(parts.map(({ cost }) => cost)),
    unpriced: parts.find(({ unpriced }) => unpriced !== undefined)?.unpriced,
    pricedHere: sumKnown(parts.map(({ pricedHere }) => pricedHere)),
  };
}

/** Undefined if no value is known. */
export function sumKnown(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce((total, value) => (value === undefined ? total : (total ?? 0) + value), undefined);
}

/** The one currency of all parts with a cost; undefined if they differ, or one is unknown. */
export function currencyOf(
  parts: Iterable<{ readonly cost?: number | undefined; readonly currency?: string | undefined }>,
): string | undefined {
  const found = new Set<string | undefined>();
  for (const { cost = 0, currency } of parts) if (cost > 0) found.add(currency);
  return found.size === 1 ? [...found][0] : undefined;
}

/** Day and currency of a price list; other tables have neither. */
export function describeList(prices: PriceTable | undefined): Partial<Pick<PriceList, "asOf" | "currency">> {
  return typeof prices === "object" && "asOf" in prices ? prices : {};
}

/** True for a difference that is more than a rounding error. */
export function isMoney(difference: number, whole: number): boolean {
  return Math.abs(difference) > 1e-9 * Math.max(1, Math.abs(whole)) && Math.abs(difference) > 1e-12;
}

/** Money with at least two significant digits: `$0.0012`; without a sign if the currency is unknown. */
export function formatMoney(cost: number, currency?: string): string {
  const sign = currency === undefined ? "" : signOf(currency);
  const amount = Math.abs(cost);
  const minus = cost < 0 ? "-" : "";
  if (amount === 0) return `${sign}0`;
  if (amount < 0.000_001) return `${minus}<${sign}0.000001`;
  const decimals = amount >= 1 ? 2 : Math.max(2, Math.min(8, 1 - Math.floor(Math.log10(amount))));
  return `${minus}${sign}${amount.toFixed(decimals)}`;
}

/** The known part of a cost: `≥ $0.0012` if a part has no price, `–` if nothing has one. */
export function formatCost({ cost, unpriced }: Priced, currency?: string): string {
  if (cost === undefined) return "–";
  return `${unpriced === undefined ? "" : "≥ "}${formatMoney(cost, currency)}`;
}

/** `$`, `€`, or `CHF ` for a currency without a sign. */
function signOf(currency: string): string {
  if (!/^[A-Z]{3}$/.test(currency)) return `${currency} `;
  const parts = new Intl.NumberFormat("en-US", { style: "currency", currency }).formatToParts(0);
  const sign = parts.find(({ type }) => type === "currency")?.value ?? currency;
  return /[A-Za-z]$/.test(sign) ? `${sign} ` : sign;
}
