import * as fc from "fast-check";
import { expect, test } from "vitest";
import { findChanges, moveRange } from "../../src/rehearsal/text-changes.ts";
import { anyText } from "../helpers/any-text.ts";

test.each([
  ["", "", []],
  ["same", "same", []],
  ["", "new", [{ from: 0, to: 0, newFrom: 0, newTo: 3 }]],
  ["Dear Anna, hello", "Dear K, hello", [{ from: 5, to: 9, newFrom: 5, newTo: 6 }]],
  [
    "Anna wrote a letter to Anna",
    "K wrote a letter to K",
    [
      { from: 0, to: 4, newFrom: 0, newTo: 1 },
      { from: 23, to: 27, newFrom: 20, newTo: 21 },
    ],
  ],
  // What is between two near changes is a part of one.
  ["Anna & Anna met", "K & K met", [{ from: 0, to: 11, newFrom: 0, newTo: 5 }]],
  // Both begin with the same half.
  ["a 😀 b", "a 😁 b", [{ from: 2, to: 4, newFrom: 2, newTo: 4 }]],
])("of %j and %j", (was, is, changes) => {
  expect(findChanges(was, is)).toEqual(changes);
});

/** Texts of which the second one has pieces of the first. */
const TEXTS = fc
  .array(fc.tuple(anyText({ maxLength: 20 }), fc.option(anyText({ maxLength: 8 }), { nil: undefined })), {
    maxLength: 8,
  })
  .map(
    (pieces) =>
      [pieces.map(([piece]) => piece).join(""), pieces.map(([piece, other]) => other ?? piece).join("")] as const,
  );

test("make one text of the other, and never cut a character", () => {
  fc.assert(
    fc.property(TEXTS, ([was, is]) => {
      const changes = findChanges(was, is);
      let made = "";
      let [at, newAt] = [0, 0];
      for (const { from, to, newFrom, newTo } of changes) {
        made += was.slice(at, from) + is.slice(newFrom, newTo);
        expect(newFrom - newAt).toBe(from - at);
        for (const cut of [was.slice(0, from), was.slice(to), is.slice(0, newFrom), is.slice(newTo)])
          expect(cut).toBe(Buffer.from(cut).toString());
        [at, newAt] = [to, newTo];
      }
      expect(made + was.slice(at)).toBe(is);
    }),
    { numRuns: 500 },
  );
});

test("a range outside of all changes keeps its text, and any other is moved to around what replaced it", () => {
  const input = TEXTS.chain(([was, is]) =>
    fc.tuple(fc.constant([was, is] as const), fc.nat({ max: was.length }), fc.nat({ max: was.length })),
  );
  fc.assert(
    fc.property(input, ([[was, is], a, b]) => {
      const changes = findChanges(was, is);
      const range = { start: Math.min(a, b), end: Math.max(a, b) };
      const moved = moveRange(changes, range);
      expect(moved.start).toBeGreaterThanOrEqual(0);
      expect(moved.end).toBeGreaterThanOrEqual(moved.start);
      expect(moved.end).toBeLessThanOrEqual(is.length);
      const inside = changes.filter(({ from, to }) => from < range.end && to > range.start);
      if (inside.length === 0) expect(is.slice(moved.start, moved.end)).toBe(was.slice(range.start, range.end));
      for (const { newFrom, newTo } of inside) {
        expect(moved.start).toBeLessThanOrEqual(newFrom);
        expect(moved.end).toBeGreaterThanOrEqual(newTo);
      }
    }),
    { numRuns: 500 },
  );
});

test("takes time in proportion to a text without anything in common", () => {
  const [was, is] = ["a".repeat(200_000), "b".repeat(200_000)];
  expect(findChanges(was, is)).toEqual([{ from: 0, to: was.length, newFrom: 0, newTo: is.length }]);
});
