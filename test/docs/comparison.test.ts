import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { CASES } from "../../bench/compare/all-cases.ts";
import { LIBRARY_NAMES } from "../../bench/compare/libraries.ts";
import { blockOf, type Results, shortTableOf, tableOf } from "../../bench/compare/page.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string): string => readFileSync(`${root}${file}`, "utf8");
// `pnpm compare --docs` writes the file.
const results = JSON.parse(read("bench/compare/results.json")) as Results;

test("the comparison and the README have the tables of the last results", () => {
  expect(blockOf(read("docs/comparison.md"))).toBe(tableOf(results));
  expect(blockOf(read("README.md"))).toBe(shortTableOf(results));
});

test("the results have every library and every row", () => {
  const rows = CASES.flatMap((one) => one.rows.map(({ id }) => id));
  expect(results.libraries.map(({ name }) => name)).toEqual(LIBRARY_NAMES);
  expect(new Set(rows).size).toBe(rows.length);
  for (const { column } of results.libraries) expect(Object.keys(column)).toEqual(rows);
});

test("the README counts the libraries as the table does", () => {
  const WORDS = ["none", "one", "two", "three", "four", "five", "six"];
  const others = results.libraries.slice(1);
  const without = others.filter(({ column }) => column["empty"]?.met !== "yes").length;
  const searching = others.filter(({ column }) =>
    [column["search-2"]?.met, column["search-2"]?.tuned?.met].includes("yes"),
  ).length;
  const readme = read("README.md").replaceAll(/\s+/g, " ");
  expect(readme).toContain(`of ${WORDS[others.length]} other libraries, ${WORDS[without]} report an empty one`);
  expect(readme).toContain(`Of the ${WORDS[others.length]} others, ${WORDS[searching]} does it on Gemini 2.5.`);
});
