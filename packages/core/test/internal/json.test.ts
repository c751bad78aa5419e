import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { copyJson, isTooDeep } from "../../src/internal/json.ts";
import { growthOf } from "../helpers/growth.ts";

test("a copy equals its JSON and shares no object with it", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const copy = copyJson(value);
      expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
      if (typeof value === "object" && value !== null) expect(copy).not.toBe(value);
    }),
  );
});

test("a key named __proto__ stays a key", () => {
  const copy = copyJson(JSON.parse('{"__proto__":{"polluted":true}}') as object);
  expect(Object.keys(copy)).toEqual(["__proto__"]);
  expect("polluted" in copy).toBe(false);
});

test("what is no JSON is handed through", () => {
  const date = new Date();
  expect(copyJson({ date }).date).toBe(date);
});

describe("a value is too deep", () => {
  const nested = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels));

  test.each([
    ["500 levels", nested(500), false],
    ["501 levels", nested(501), true],
    ["501 levels beside others", { a: 1, b: [null, { c: nested(499) }] }, true],
    ["a million levels", nested(1_000_000), true],
    ["a text", "[".repeat(1_000), false],
    ["null", null, false],
  ])("%s: %#", (_what, value, isDeep) => {
    expect(isTooDeep(value)).toBe(isDeep);
  });

  test("when it contains itself, many times", () => {
    const value: Record<string, unknown> = {};
    for (let member = 0; member < 100; member++) value[`m${member}`] = [value];
    expect(isTooDeep(value)).toBe(true);
  });

  test("which is found in time linear in its size", () => {
    const wide = (size: number): unknown => Array.from({ length: size }, (_, at) => ({ at, list: [[at]] }));
    const [small, large] = [wide(5_000), wide(40_000)];
    // Quadratic work would take 64 times as long.
    expect(growthOf((size) => void isTooDeep(size === 5_000 ? small : large), 5_000, 8)).toBeLessThan(32);
  });
});
