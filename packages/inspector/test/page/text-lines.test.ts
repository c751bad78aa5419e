import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonLines, lineAt, rawLines, type TextLines } from "../../page/src/ui/text-lines.ts";

function linesOf(lines: TextLines): readonly string[] {
  return Array.from(
    { length: lines.count },
    (_, line) => " ".repeat(lines.indent(line)) + lines.text.slice(lines.start(line), lines.end(line)),
  );
}

test("JSON is laid out verbatim, with its numbers and escapes", () => {
  const text = String.raw`{"a":[1.50,{"b":"x, {\"y\"}"}],"empty":{},"none":[ ],"e":1e2}`;
  expect(linesOf(jsonLines(text, 80))).toEqual([
    "{",
    '  "a":[',
    "    1.50,",
    "    {",
    String.raw`      "b":"x, {\"y\"}"`,
    "    }",
    "  ],",
    '  "empty":{},',
    '  "none":[ ],',
    '  "e":1e2',
    "}",
  ]);
});

test("long lines are cut, at a space where there is one and never inside a character", () => {
  expect(linesOf(rawLines(`${"word ".repeat(8)}\n\n${"🌍".repeat(25)}`, 21))).toEqual([
    "word word word word ",
    "  word word word word ",
    "",
    "🌍".repeat(10),
    `  ${"🌍".repeat(10)}`,
    `  ${"🌍".repeat(5)}`,
  ]);
});

test("in any text, only white space between values is lost", () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), fc.integer({ min: 20, max: 90 }), (text, columns) => {
      const lines = jsonLines(text, columns);
      let at = 0;
      for (let line = 0; line < lines.count; line++) {
        expect(text.slice(at, lines.start(line)).trim()).toBe("");
        at = lines.end(line);
      }
      expect(text.slice(at).trim()).toBe("");
    }),
  );
});

test("the line of a place is found", () => {
  const text = JSON.stringify({ a: [1, 2, 3], b: "x" });
  const lines = jsonLines(text, 80);
  const line = lineAt(lines, text.indexOf('"b"'));
  expect(text.slice(lines.start(line), lines.end(line))).toBe('"b":"x"');
});
