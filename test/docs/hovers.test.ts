import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "./support/pages.ts";

const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");

/** The exports of every entry point, from the API reports. */
function exportedTypes(): ReadonlySet<string> {
  const reports = globSync("packages/*/etc/*.md", { cwd: ROOT }).map(read).join("\n");
  return new Set([...reports.matchAll(/^export (?:interface|type) (\w+)/gm)].map(([, name = ""]) => name));
}

test("a hover can say something about every exported type", () => {
  const exported = exportedTypes();
  expect(exported.size).toBeGreaterThan(500);
  const silent = globSync("packages/*/src/**/*.ts", { cwd: ROOT }).flatMap((file) => {
    const text = read(file);
    return [...text.matchAll(/^export (?:interface|type) (\w+)/gm)].flatMap(({ 1: name = "", index }) => {
      // A comment for readers of the code may come in between.
      const before = text.slice(0, index).replace(/(?:^\/\/.*\n)+$/m, "");
      return exported.has(name) && !before.trimEnd().endsWith("*/") ? `${file}: ${name}` : [];
    });
  });
  expect(silent).toEqual([]);
});
