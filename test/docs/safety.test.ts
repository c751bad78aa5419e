import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = new URL("../../", import.meta.url);
const page = readFileSync(fileURLToPath(new URL("docs/guides/safety.md", root)), "utf8");
const untrusted = readFileSync(fileURLToPath(new URL("docs/guides/untrusted.md", root)), "utf8");
const namedOn = (text: string): { readonly file: string; readonly title: string | undefined }[] =>
  [...text.matchAll(/\| `([\w./-]+\.test\.ts)`(?:: ([^|]+?))? *\|/g)].map(([, file = "", title]) => ({ file, title }));
const named = [page, untrusted].flatMap(namedOn);

test("the pages about safety and untrusted content name tests", () => {
  expect(namedOn(page).length).toBeGreaterThan(10);
  expect(namedOn(untrusted).length).toBeGreaterThan(7);
});

test.each(named)("$file has the test that the page names: $title", ({ file, title }) => {
  const text = readFileSync(fileURLToPath(new URL(file, root)), "utf8");
  if (title !== undefined) expect(text).toContain(`"${title}"`);
  expect(text).toContain("test");
});

test("the page says for every subpath of the tools what bounds it, in each column", () => {
  const [, table = ""] = /^## What bounds each tool$([^]*?)^## /m.exec(page) ?? [];
  const rows = [...table.matchAll(/^\| `\/([\w-]+)`.*$/gm)].map(([row, subpath = ""]) => ({
    subpath,
    cells: row.split("|").slice(1, -1),
  }));
  const manifest = readFileSync(fileURLToPath(new URL("packages/tools/package.json", root)), "utf8");
  // Every manifest of ours has exports.
  const { exports } = JSON.parse(manifest) as { exports: object };
  const subpaths = Object.keys(exports).filter((subpath) => subpath !== "./package.json");
  expect([...new Set(rows.map(({ subpath }) => `./${subpath}`))].toSorted()).toEqual(subpaths.toSorted());
  for (const { subpath, cells } of rows) {
    expect(cells, subpath).toHaveLength(5);
    expect(
      cells.filter((cell) => cell.trim() === ""),
      subpath,
    ).toEqual([]);
  }
});
