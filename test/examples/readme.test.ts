import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder } from "./run-example.ts";

test("the README of the examples leads to each of them, once", () => {
  const links = [...readFileSync(join(folder, "README.md"), "utf8").matchAll(/\]\(([\w.-]+)\)/g)].map(
    ([, link = ""]) => link,
  );
  const examples = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.name !== "node_modules" && (entry.isDirectory() || entry.name.endsWith(".ts")),
  );
  expect(links.toSorted()).toEqual(examples.map(({ name }) => name).toSorted());
});
