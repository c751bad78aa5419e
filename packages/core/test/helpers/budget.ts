import { expect } from "vitest";

/**
 * Expects a count to stay within its budget, which has a few percent of slack: a ratchet, not a freeze. Also fails when the count is more
 * than a tenth below the budget, so that somebody lowers the budget and the improvement lasts.
 *
 * @param names - Names of the counted things, for the message.
 */
export function expectWithin(what: string, count: number, budget: number, names: Iterable<string> = []): void {
  const listed = [...names].toSorted().join(", ");
  expect(
    count,
    `${what}: ${count}, and the budget is ${budget}${listed === "" ? "" : `: ${listed}`}`,
  ).toBeLessThanOrEqual(budget);
  expect(count, `${what}: ${count}, so the budget of ${budget} can be lowered`).toBeGreaterThanOrEqual(
    Math.floor(budget * 0.9),
  );
}
