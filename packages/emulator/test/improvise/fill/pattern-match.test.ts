import { describe, expect, test } from "vitest";
import { matches, mostWays } from "../../../src/improvise/fill/pattern-match.ts";
import { Work } from "../../../src/improvise/fill/work.ts";

describe("the ways to match a pattern to a text of 9 characters", () => {
  test.each([
    ["^[A-Z]{3}-\\d{4}$", 10],
    ["^(?:red|green)_\\w+$", 200],
    ["^\\d{1,3}(?:\\.\\d{2})?$", 200],
    ["^[a-f0-9+*]{8}$", 10],
    ["^\\p{L}+\\?$", 100],
    ["^(?<year>\\d{4})-x?$", 20],
    ["\\(a\\)+b", 100],
    ["a*b*c*", 10_000],
    ["^(?:\\w+\\s?)+#$", Infinity],
    ["(a|b)*", Infinity],
    ["(?:a?){30}", Infinity],
    ["(?=a)b", Infinity],
    ["(?<!a)b", Infinity],
    ["(a)\\1", Infinity],
    ["(?<n>a)\\k<n>", Infinity],
  ])("%s: at most %d", (pattern, ways) => {
    expect(mostWays(pattern, 9)).toBe(ways);
  });
});

test.each([
  ["^[A-Z]{3}-\\d{4}$", "ABC-1234", true],
  ["^[A-Z]{3}-\\d{4}$", "abc", false],
  ["^(?:ab)+$", "abab", true],
  ["^(?:ab)+$", "aba", false],
  ["(", "(", false],
  ["(+", "(", false],
])("%s on %s: %s", (pattern, text, isMatch) => {
  expect(matches(pattern, text, new Work())).toBe(isMatch);
});
