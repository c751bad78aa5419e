import { describe, expect, test } from "vitest";
import { costOfBreak, estimateCache } from "../../src/inspection/prefix-cost.ts";

describe("what a broken prefix cost", () => {
  const prices = { input: 2, cachedInput: 0.5, output: 8 };
  test.each<
    [
      string,
      number,
      { bodyBytes: number; promptTokens: number; cachedTokens: number },
      { tokens: number; cost: number },
    ]
  >([
    [
      "follows from the bytes of a token",
      4000,
      { bodyBytes: 8000, promptTokens: 2000, cachedTokens: 0 },
      { tokens: 1000, cost: 0.0015 },
    ],
    [
      "is no more than was not cached",
      4000,
      { bodyBytes: 8000, promptTokens: 2000, cachedTokens: 1800 },
      { tokens: 200, cost: 0.0003 },
    ],
    [
      "is nothing if all was cached",
      4000,
      { bodyBytes: 8000, promptTokens: 2000, cachedTokens: 2000 },
      { tokens: 0, cost: 0 },
    ],
    ["is nothing without a prompt", 4000, { bodyBytes: 0, promptTokens: 0, cachedTokens: 0 }, { tokens: 0, cost: 0 }],
  ])("%s", (_name, lostBytes, billed, { tokens, cost }) => {
    expect(costOfBreak(lostBytes, billed, prices)).toEqual({ tokens, cost: expect.closeTo(cost, 10) as unknown });
    expect(costOfBreak(lostBytes, billed)).toEqual({ tokens });
  });
});

describe("an explicit cache", () => {
  const prices = { input: 2, cachedInput: 0.5, output: 8, cacheStorage: 1 };
  const hour = 3_600_000;

  test("costs writes, storage and reads", () => {
    const requests = [0, 1, 2].map((index) => ({ at: index * hour, promptTokens: 1_500_000, cachedTokens: 0 }));
    // Written for 2, kept for two hours for 2, read three times for 0.5; the rest costs 1 each time.
    expect(estimateCache(requests, 1_000_000, prices)).toEqual({
      tokens: 1_000_000,
      hours: 2,
      billed: 9,
      withCache: 2 + 2 + 3 * 1.5,
    });
  });

  test("saves nothing if the service already cached as much", () => {
    const requests = [0, 1].map((index) => ({ at: index, promptTokens: 1_000_000, cachedTokens: 900_000 }));
    const { billed, withCache } = estimateCache(requests, 500_000, { ...prices, cacheStorage: undefined }) ?? {
      billed: 0,
      withCache: 0,
    };
    expect(withCache - billed).toBeCloseTo(1);
  });

  test("is no larger than the smallest prompt", () => {
    const requests = [3, 5].map((promptTokens) => ({ at: 0, promptTokens, cachedTokens: 0 }));
    expect(estimateCache(requests, 100, prices)?.tokens).toBe(3);
    expect(estimateCache([], 100, prices)).toBeUndefined();
  });
});
