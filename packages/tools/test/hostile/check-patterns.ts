import { ModelRetry } from "@pollux/core";
import fc from "fast-check";
import { compileExpression } from "../../src/files/expression.ts";
import { compileWildcards } from "../../src/files/wildcards.ts";
import { Work } from "../../src/files/work.ts";

/** Counts the steps of one match, and ends it after too many. */
class CountedWork extends Work {
  readonly #most: number;
  #taken = 0;

  constructor(most: number) {
    super();
    this.#most = most;
  }

  override add(steps: number): void {
    this.#taken += steps;
    if (this.#taken > this.#most) throw new RangeError(`more than ${this.#most} steps`);
  }
}

const repeated = (...parts: readonly string[]): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(fc.constantFrom(...parts), fc.constantFrom(1, 1, 2, 40)), { maxLength: 30 })
    .map((all) => all.map(([part, times]) => part.repeat(times)).join(""));

const glob = fc.oneof(
  // With a path through the pattern for each part and each position in a long name.
  repeated("{?,?}", "{a,a}", "{*,*}", "**/", "*a", "{a,", "}"),
  repeated("*", "**", "/", "?", "{", "}", ",", "[", "]", "!", "-", "\\", "a", "{a,", "{?,?}", ".."),
  fc.string(),
);
const path = fc.oneof(repeated("a"), repeated("a", "b", "/", ".", "{", "]", "\ud800", "é"));

/** No glob takes more steps for a character than it has states, and it has at most three for each of its characters. */
export function checkGlobs(count: number): void {
  fc.assert(
    fc.property(glob, path, fc.boolean(), (pattern, text, braces) => {
      const { size, matches } = compileWildcards(pattern, { braces });
      matches(text, new CountedWork((size + 1) * text.length));
      return size <= 3 * pattern.length + 1;
    }),
    { numRuns: count },
  );
}

const expression = fc.oneof(
  repeated(
    "a",
    ".",
    "?",
    "*",
    "+",
    "(",
    ")",
    "(?:",
    "|",
    "{1000}",
    "{2,999}",
    "{30}",
    "[",
    "]",
    "^",
    "[:alpha:]",
    "\\pL",
    "\\Q",
    "\\E",
    "(?i)",
    "$",
    "-",
  ),
  fc.string(),
);

/** Each expression is refused as the model's mistake, or takes a bounded number of steps per line. */
export function checkExpressions(count: number): void {
  fc.assert(
    fc.property(expression, repeated("a", "b", "aab", " ", "é"), fc.boolean(), (pattern, text, ignoreCase) => {
      try {
        const { maxLine, steps, find } = compileExpression(pattern.slice(0, 1_000), ignoreCase);
        const start = find(text.repeat(100).slice(0, maxLine));
        return maxLine * steps <= 2_000_000 && (start === undefined || start <= maxLine);
      } catch (error) {
        if (error instanceof ModelRetry) return true;
        throw error;
      }
    }),
    { numRuns: count },
  );
}
