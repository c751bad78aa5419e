import { expect } from "vitest";

/**
 * Expects a count to keep within its budget, which has a few hundredths of slack: a ratchet, and not a freeze. A count that has come down by
 * more than a tenth asks for a new budget, so that what was won stays won.
 *
 * @param names - What is counted, to show what is new.
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
