import { describe, expect, test } from "vitest";
import { checkLimits, limitReached, RepeatGuard } from "../../src/loop/limits.ts";
import { NO_USAGE } from "../../src/model/usage.ts";

const spent = {
  turns: 3,
  toolCalls: 5,
  usage: { ...NO_USAGE, inputTokens: 100, outputTokens: 20, thoughtTokens: 30, totalTokens: 150 },
  wallTimeMs: 900,
  cost: 2,
};

test.each([
  [{}, undefined],
  [{ turns: 4, toolCalls: 6, inputTokens: 101, outputTokens: 51, totalTokens: 151, wallTimeMs: 901 }, undefined],
  [{ turns: 3 }, { name: "turns", limit: 3, used: 3 }],
  [{ toolCalls: 5 }, { name: "toolCalls", limit: 5, used: 5 }],
  [{ inputTokens: 50 }, { name: "inputTokens", limit: 50, used: 100 }],
  [{ outputTokens: 50 }, { name: "outputTokens", limit: 50, used: 50 }],
  [{ totalTokens: 150 }, { name: "totalTokens", limit: 150, used: 150 }],
  [{ cost: 2 }, { name: "cost", limit: 2, used: 2 }],
  [{ wallTimeMs: 900 }, { name: "wallTimeMs", limit: 900, used: 900 }],
])("limits %j leave room or name what was reached: %j", (limits, expected) => {
  expect(limitReached(limits, spent)).toEqual(expected);
});

test("a limit that is not a positive number is a TypeError with its name", () => {
  expect(() => checkLimits({ turns: 0 })).toThrow(new TypeError("limits.turns must be a positive number, got 0"));
  expect(() => checkLimits({ wallTimeMs: Number.NaN })).toThrow(TypeError);
});

describe("repeated calls", () => {
  const look = (where: string) => [{ name: "look", args: { where } }];
  const saw = (output: unknown) => [{ functionResponse: { name: "look", response: { output } } }];

  test("are counted while the calls and the results stay the same", () => {
    const guard = new RepeatGuard();
    expect([1, 2, 3].map(() => guard.addTurn(look("up"), saw("sky")))).toEqual([1, 2, 3]);
    expect(guard.addTurn(look("up"), saw("rain"))).toBe(1);
  });

  test("a poll whose result changes, and calls that change, don't count as repeated", () => {
    const guard = new RepeatGuard();
    expect([1, 2, 3].map((n) => guard.addTurn(look("up"), saw(n)))).toEqual([1, 1, 1]);
    expect(["a", "b", "a"].map((where) => guard.addTurn(look(where), saw("same")))).toEqual([1, 1, 1]);
  });

  test("ids do not count", () => {
    const guard = new RepeatGuard();
    expect(guard.addTurn([{ id: "x1", name: "look", args: {} }], saw(1))).toBe(1);
    expect(guard.addTurn([{ id: "x2", name: "look", args: {} }], saw(1))).toBe(2);
  });
});
