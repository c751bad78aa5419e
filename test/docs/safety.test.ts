import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = new URL("../../", import.meta.url);
const page = readFileSync(fileURLToPath(new URL("docs/guides/safety.md", root)), "utf8");
const named = [...page.matchAll(/\| `([\w./-]+\.test\.ts)`(?:: ([^|]+?))? *\|/g)].map(([, file = "", title]) => ({
  file,
  title,
}));

test("the page about safety names tests", () => {
  expect(named.length).toBeGreaterThan(10);
});

test.each(named)("$file has the test that the page names: $title", ({ file, title }) => {
  const text = readFileSync(fileURLToPath(new URL(file, root)), "utf8");
  if (title !== undefined) expect(text).toContain(`"${title}"`);
  expect(text).toContain("test");
});
