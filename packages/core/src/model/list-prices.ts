import type { PriceList } from "./prices.ts";

/** From Gemini 3 on, once the free ones are used up. */
const searchQuery = 0.014;
// Literals, not calls: bundlers keep what calls a function, even if nobody uses it.
const ARGON = [
  { input: 2, output: 10, cachedInput: 0.1, searchQuery },
  { input: 4, output: 20, cachedInput: 0.2, searchQuery, from: "2026-12-01" },
];
const NEW_FLASH = [
  { input: 0.75, output: 3.75, cachedInput: 0.075, searchQuery },
  { input: 1.5, output: 7.5, cachedInput: 0.15, searchQuery, from: "2027-01-01" },
];

/**
 * Google's list prices in US dollars for the standard tier, of the models whose price is known: others have an unknown cost.
 *
 * An estimate, not a bill. The storage of caches, other tiers (`flex` and batches cost about half, `priority` more), free tiers, and what
 * some models charge on top for prompts of over 200,000 tokens or for audio are not in it; where the price of cached input is not
 * known, it counts as input. Gateways and contracts have prices of their own: spread this and override, or write your own table.
 *
 * @see https://ai.google.dev/gemini-api/docs/pricing
 */
export const googleListPrices: PriceList = {
  asOf: "2026-11-23",
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
