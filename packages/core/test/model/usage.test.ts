import { describe, expect, test } from "vitest";
import {
  checkPrices,
  computeCost,
  findPrices,
  googleListPrices,
  NO_USAGE,
  type PriceTable,
} from "../../src/model/usage.ts";

const ONE = { input: 1, output: 1 };
const list = (prices: unknown): object => ({ asOf: "2026-11-23", models: { m: prices } });

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

  test.each([
    ["gemini-4-argon", "2026-11-30T23:59:59.999Z", 2],
    ["gemini-4-argon", "2026-12-01T00:00:00Z", 4],
    ["gemini-4-argon", "2027-06-01T00:00:00Z", 4],
    ["models/gemini-4-argon-001", "2026-11-23T00:00:00Z", 2],
    ["gemini-4-argon-flash", "2026-11-23T00:00:00Z", undefined],
    ["gemini-4", "2026-11-23T00:00:00Z", undefined],
    ["constructor", "2026-11-23T00:00:00Z", undefined],
    ["gemini-4-carbon", "2026-12-01T00:00:00Z", 4],
    ["gemini-4-hydrogen", "2026-12-01T00:00:00Z", 1.5],
    ["gemini-4-neon", "2026-12-01T00:00:00Z", 3],
    ["gemini-3.8-flash", "2026-12-31T23:59:59.999Z", 0.75],
    ["gemini-3.8-flash", "2027-01-01T00:00:00Z", 1.5],
    ["gemini-decision-1", "2026-11-23T00:00:00Z", 0.1],
  ])("of %s at %s is by Google's list: %s for a million tokens of input", (model, at, input) => {
    expect(findPrices(googleListPrices, model, new Date(at))?.input).toBe(input);
  });

  test.each<[object, string]>([
    [{ input: -1, output: 1 }, "prices.input must be a number of at least 0, got -1"],
    [{ asOf: "today", models: {} }, 'prices.asOf must be a day such as "2026-12-01", in order of time, got "today"'],
    [{ asOf: "2026-11-23", currency: "dollars", models: {} }, 'prices.currency must be a code such as "USD"'],
    [list({ input: 1 }), 'prices.models["m"].output is missing'],
    [list([ONE, { ...ONE, from: "2026-12-1" }]), 'prices.models["m"].from must be a day'],
    [
      list([
        { ...ONE, from: "2026-12-01" },
        { ...ONE, from: "2026-11-01" },
      ]),
      'prices.models["m"].from must be a day such as "2026-12-01", in order of time, got "2026-11-01"',
    ],
    [list([{ ...ONE, thoughts: "1" }]), 'prices.models["m"].thoughts must be a number'],
  ])("%j are no prices", (table, says) => {
    expect(() => checkPrices(table as PriceTable)).toThrow(says);
  });

  test("is that of Google's list, which is one", () => {
    expect(() => checkPrices(googleListPrices)).not.toThrow();
  });
});
