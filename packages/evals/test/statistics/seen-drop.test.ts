import { describe, expect, test } from "vitest";
import { seenDifference, seenDrop } from "../../src/statistics/seen-drop.ts";

const suite = (cases: number, trials: number, before: number, failed: (index: number) => number) =>
  Array.from({ length: cases }, (_, index) => ({
    before: { passed: before - failed(index), trials: before },
    trials,
  }));

describe("the smallest drop seen 8 times in 10", () => {
  test("shrinks with trials and with cases, is the same each time, and has whole points", () => {
    const drops = [
      seenDrop(
        suite(12, 3, 9, (index) => index % 3),
        0.025,
      ),
      seenDrop(
        suite(12, 5, 15, (index) => index % 3),
        0.025,
      ),
      seenDrop(
        suite(12, 10, 30, (index) => index % 3),
        0.025,
      ),
      seenDrop(
        suite(40, 10, 30, (index) => index % 3),
        0.025,
      ),
    ];
    expect(drops).toEqual([0.22, 0.14, 0.07, 0.04]);
  });

  test("grows as the level falls", () => {
    const cases = suite(12, 5, 15, (index) => index % 3);
    expect(seenDrop(cases, 0.005)).toBeGreaterThan(seenDrop(cases, 0.05) ?? 1);
  });

  test("is none where even the loss of all would stay unseen, or there is nothing", () => {
    expect([
      seenDrop(
        suite(2, 1, 1, () => 0),
        0.025,
      ),
      seenDrop([], 0.025),
    ]).toEqual([undefined, undefined]);
    expect(
      seenDrop(
        suite(12, 5, 15, () => 15),
        0.025,
      ),
    ).toBe(undefined);
  });
});

describe("the smallest difference on cases like these", () => {
  const exact = { variance: 0, trials: 1 };

  test("is 3 points with 969 cases of variance 1/9, as Miller computes it, two-sided", () => {
    expect(seenDifference({ cases: 969, spread: 1 / 9, now: exact, before: exact, level: 0.025 })).toBeCloseTo(0.03, 4);
  });

  test("shrinks with trials only down to what the spread of cases leaves", () => {
    const difference = (trials: number): number =>
      seenDifference({ cases: 100, spread: 0.01, now: { variance: 0.09, trials }, before: { variance: 0.09, trials } });
    expect(difference(1)).toBeGreaterThan(difference(10));
    expect(difference(1e9)).toBeCloseTo(2.4865 * 0.01, 4);
  });
});
