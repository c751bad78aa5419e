import { expect, test } from "vitest";
import { expectWithin } from "./helpers/budget.ts";
import { readModules, reachableFrom } from "./helpers/imports.ts";

/** What core may grow to: all of it, and what an `import` of its root reaches, types and what is only loaded later included. */
const BUDGETS = {
  root: { files: 176, lines: 33_400 },
  all: { files: 259, lines: 43_900 },
} as const;

const modules = readModules();

test.each([
  ["core's root", BUDGETS.root, reachableFrom("index.ts", modules)],
  ["all of core", BUDGETS.all, new Set(modules.keys())],
])("%s stays within its budget of files and lines", (what, budget, files) => {
  const lines = [...files].reduce((sum, file) => sum + countLines(modules.get(file)?.text), 0);
  expectWithin(`files of ${what}`, files.size, budget.files);
  expectWithin(`lines of ${what}`, lines, budget.lines);
});

test("the root reaches what is imported as a type, and what is loaded when it is needed", () => {
  const module = (...imports: readonly string[]) => ({ text: "", imports });
  const known = new Map([
    ["a", module("b", "c")],
    ["b", module("a")],
    ["c", module("d")],
    ["e", module("a")],
  ]);
  expect([...reachableFrom("a", known)]).toEqual(["a", "b", "c", "d"]);
  const reached = reachableFrom("index.ts", modules);
  expect([...reached]).toEqual(expect.arrayContaining(["agent/options.ts", "tool/schema/json-check.ts"]));
  expect([...reached]).not.toContain("testing/index.ts");
});

function countLines(text = ""): number {
  return text.split("\n").length - 1;
}
