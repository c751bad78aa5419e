import { describe, expect, test } from "vitest";
import { seenDrop } from "../../src/statistics/seen-drop.ts";

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
