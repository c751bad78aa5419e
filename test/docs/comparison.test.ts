import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { CASES } from "../../bench/compare/all-cases.ts";
import { LIBRARY_NAMES } from "../../bench/compare/libraries.ts";
import { behaviorBlocksOf, type Results } from "../../bench/compare/page.ts";
import { blocksOf, readResults, withBlock } from "../../bench/pages.ts";
import { OWN_DRIVERS } from "../../bench/drivers.ts";
import { PEER_NAMES } from "../../bench/peers.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string): string => readFileSync(`${root}${file}`, "utf8");
// `pnpm compare --docs` writes the file.
const results = JSON.parse(read("bench/compare/results.json")) as Results;

test.each([...blocksOf(readResults()), ...behaviorBlocksOf(results)])(
  "$page has the $name of the last results",
  (block) => {
    expect(read(block.page)).toBe(withBlock(read(block.page), block));
  },
);

test("a page without its markers is refused", () => {
  const block = { page: "a.md", name: "figures", command: "x", text: "new" };
  expect(withBlock("<!-- figures: written by `x` -->\nold\n<!-- end of figures -->\n", block)).toBe(
    "<!-- figures: written by `x` -->\n\nnew\n\n<!-- end of figures -->\n",
  );
  expect(() => withBlock("no markers", block)).toThrow("a.md needs the lines");
});

test("the figures are of one run with all libraries, and match the README", () => {
  const { rows } = readResults();
  const figuresOf = (id: string) => rows.find((row) => row.id === id)?.figures ?? [];
  expect(figuresOf("loop").map(({ driver }) => driver)).toEqual([...OWN_DRIVERS, ...PEER_NAMES]);
  for (const id of ["loop", "history-200", "many-500", "stream"]) {
    const figures = new Map(figuresOf(id).map(({ driver, figure }) => [driver, figure]));
    const others = PEER_NAMES.flatMap((name) => figures.get(name) ?? []);
    expect(others.length, id).toBeGreaterThanOrEqual(PEER_NAMES.length - 1);
    expect(figures.get("pollux"), id).toBeLessThan(Math.min(...others));
  }
  expect(figuresOf("history-200").find(({ driver }) => driver === "pollux")?.figure).toBeLessThan(1);
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
