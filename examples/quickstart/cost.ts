import { computeCost, type Prices, type Usage } from "@pollux/core";
import type { Screen } from "./screen.ts";

// Dollars per 1,000,000 tokens, and per Google Search query. Look up the prices of your model: they change.
const PRICES = { input: 0.3, cachedInput: 0.03, output: 2.5, searchQuery: 0.014 } satisfies Prices;

/** One line per run: tokens, web searches, money. */
export function compareCosts(runs: Readonly<Record<string, Usage>>, screen: Screen): void {
  const rows = Object.entries(runs).map(([name, usage]) => ({ name, usage, money: computeCost(usage, PRICES) }));
  const total = rows.reduce((sum, { money }) => sum + money, 0);
  screen.table([
    ["", "requests", "input", "cached", "output", "searches", "cost"],
    ...rows.map(({ name, usage, money }) => [
      name,
      ...[
        usage.requests,
        usage.inputTokens,
        usage.cachedTokens,
        usage.outputTokens + usage.thoughtTokens,
        usage.searchQueries,
      ].map((count) => count.toLocaleString("en-US")),
      dollars(money),
    ]),
    ["", "", "", "", "", "", dollars(total)],
  ]);
  screen.printer.note(
    `at $${PRICES.input.toFixed(2)} and $${PRICES.output.toFixed(2)} per million tokens, and $${PRICES.searchQuery} per search`,
  );
}

function dollars(amount: number): string {
  return `$${amount.toFixed(4)}`;
}
