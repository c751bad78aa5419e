import fc from "fast-check";
import { expect, test } from "vitest";
import { copyJson } from "../../src/internal/json.ts";

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
