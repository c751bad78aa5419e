import { googleListPrices, type PriceTable } from "@pollux/core";

/** Prices from `POLLUX_PRICES`: `google` for Google's list prices, or the prices of input and output. */
export function readPrices(text: string | undefined): PriceTable | undefined {
  if (text === "google") return googleListPrices;
  const [input, output] = (text ?? "").split(",").map(Number);
  return input === undefined || output === undefined || Number.isNaN(input + output) ? undefined : { input, output };
}
