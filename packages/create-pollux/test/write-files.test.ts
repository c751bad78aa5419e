import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeFiles } from "../src/write-files.ts";
import { emptyFolder, filesIn } from "./support/fake-terminal.ts";

/** The last can't be written: what would be its folder is a file. */
const IMPOSSIBLE = new Map([
  ["src/one.ts", "1"],
  ["two", "2"],
  ["two/three", "3"],
]);

test("a project that can't be written leaves no folder behind", () => {
  const parent = emptyFolder();
  expect(() => writeFiles(join(parent, "deep/project"), IMPOSSIBLE)).toThrow(/two/);
  expect(readdirSync(parent)).toEqual([]);
});

test("a project that can't be written leaves a folder as it was", () => {
  const folder = emptyFolder();
  mkdirSync(join(folder, ".git"));
  writeFileSync(join(folder, ".git/HEAD"), "mine");
  expect(() => writeFiles(folder, IMPOSSIBLE)).toThrow(/two/);
  expect(filesIn(folder)).toEqual([".git/HEAD"]);
});

test("a file that appears meanwhile is not overwritten", () => {
  const folder = emptyFolder();
  writeFileSync(join(folder, "two"), "mine");
  expect(() => writeFiles(folder, new Map([["two", "2"]]))).toThrow(/EEXIST/);
  expect(filesIn(folder)).toEqual(["two"]);
});
