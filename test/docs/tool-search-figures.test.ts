import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { measureWays } from "../../bench/tool-search/figures.ts";

test(
  "the figures of the guide are the counted ones: `pnpm figures:tool-search` writes them",
  { timeout: 60_000 },
  async () => {
    const page = readFileSync(new URL("../../docs/guides/tool-search.md", import.meta.url), "utf8");
    const cells = (table: string) =>
      table.split("\n").flatMap((row) => (/^\| [^-]/.test(row) ? [row.split("|").map((cell) => cell.trim())] : []));
    const shown = page.slice(page.indexOf("<!-- figures:"), page.indexOf("<!-- end of figures"));
    expect(cells(shown)).toEqual(cells(await measureWays()));
  },
);
