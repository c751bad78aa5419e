import { describe, expect, test } from "vitest";
import { checkPrices, computeCost, findPrices, NO_USAGE } from "../../src/model/usage.ts";

const usage = {
  ...NO_USAGE,
  requests: 2,
  inputTokens: 1_000_000,
  cachedTokens: 400_000,
  outputTokens: 100_000,
  thoughtTokens: 50_000,
  toolUseTokens: 10_000,
  searchQueries: 3,
};

describe("the cost of some usage", () => {
  test.each([
    ["input and output alone", { input: 1, output: 10 }, 1 + 1 + 0.5 + 0.01],
    ["cached input", { input: 1, cachedInput: 0.25, output: 0 }, 0.6 + 0.1 + 0.01],
    ["thoughts priced by themselves", { input: 0, output: 10, thoughts: 4 }, 1 + 0.2],
    ["tool use priced by itself", { input: 0, output: 0, toolUse: 100 }, 1],
    ["search queries apiece", { input: 0, output: 0, searchQuery: 0.014 }, 0.042],
  ])("counts %s", (_name, prices, cost) => {
    expect(computeCost(usage, prices)).toBeCloseTo(cost, 10);
  });

  test("is found by the model that answered", () => {
    const pro = { input: 2, output: 12 };
    const table = (model: string) => (model.includes("pro") ? pro : undefined);
    expect(findPrices(table, "gemini-3.1-pro-preview")).toBe(pro);
    expect(findPrices(table, "gemini-flash-latest")).toBeUndefined();
    expect(findPrices(pro, "anything")).toBe(pro);
  });

  test("needs numbers", () => {
    expect(() => checkPrices({ input: -1, output: 1 })).toThrow("prices.input must be a number of at least 0, got -1");
  });
});
