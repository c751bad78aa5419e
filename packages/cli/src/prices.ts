import { googleListPrices, type PriceTable } from "@pollux/core";
import { UsageError } from "./command.ts";

/** Prices from a text: `google` for Google's list prices, or the prices of input and output. Undefined for any other text. */
export function readPrices(text: string | undefined): PriceTable | undefined {
  if (text === "google") return googleListPrices;
  const [, input, output] = /^\s*(\d*\.?\d+)\s*,\s*(\d*\.?\d+)\s*$/.exec(text ?? "") ?? [];
  return input === undefined ? undefined : { input: Number(input), output: Number(output) };
}

/** @throws {UsageError} If `POLLUX_PRICES` is set and invalid. */
export function pricesIn(env: { readonly POLLUX_PRICES?: string | undefined }): PriceTable | undefined {
  const text = env.POLLUX_PRICES;
  const prices = readPrices(text);
  if (prices === undefined && text)
    throw new UsageError(
      `POLLUX_PRICES must be INPUT,OUTPUT for a million tokens, such as 0.3,2.5, or google; got "${text}"`,
    );
  return prices;
}
