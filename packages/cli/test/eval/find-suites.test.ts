import { afterEach, beforeEach, expect, test } from "vitest";
import { findSuites, type Search } from "../../src/eval/find-suites.ts";
import { EvalFolder } from "./eval-folder.ts";

let folder: EvalFolder;

beforeEach(async () => {
  folder = await EvalFolder.make();
});

afterEach(() => folder[Symbol.asyncDispose]());

async function find(paths: readonly string[], search: Partial<Search> = {}): Promise<readonly string[]> {
  const found = await findSuites({ paths, suites: [], variants: [], how: { filter: {} }, ...search });
  return found.map(({ suite, variants }) => [suite.name, ...variants].join(" "));
}

test("finds eval files below a folder, except installed, hidden and compiled ones", async () => {
  await folder.suite("b");
  await folder.suite("a", "", "deep/er/a.eval.mts");
  await folder.suite("installed", "", "node_modules/x/installed.eval.ts");
  await folder.suite("hidden", "", ".cache/hidden.eval.ts");
  await folder.suite("compiled", "", "dist/compiled.eval.js");
  await folder.suite("source", "", "source.ts");
  await folder.write("types.eval.d.ts", "export default 1;");
  expect(await find([folder.path])).toEqual(["b", "a"]);
  expect(await find([folder.at("source.ts"), folder.at("deep"), folder.at("deep/er/a.eval.mts")])).toEqual([
    "source",
    "a",
  ]);
  expect(await find([folder.at("dist")])).toEqual(["compiled"]);
});

test("a file may export several suites, whose names are unique", async () => {
  const file = await folder.suite("a");
  await folder.write(
    "list.eval.ts",
    `import a from "./a.eval.ts";\nexport default [{ ...a, name: "b" }, { ...a, name: "c" }];`,
  );
  expect(await find([folder.path])).toEqual(["a", "b", "c"]);
  expect(await find([folder.path], { suites: ["c", "a"] })).toEqual(["a", "c"]);
  const copy = await folder.suite("a", "", "copy.eval.ts");
  await expect(find([file, copy])).rejects.toThrow(
    /^Two suites are called "a", in .*a\.eval\.ts and in .*copy\.eval\.ts: rename one of them$/,
  );
});

test("takes only suites with such variants and cases", async () => {
  await folder.suite("a", 'variants: ["x", "y"],');
  await folder.suite("b", 'data: [{ id: "else", input: "else", tags: ["t"] }],');
  expect(await find([folder.path])).toEqual(["a x y", "b"]);
  expect(await find([folder.path], { variants: ["y"] })).toEqual(["a y"]);
  expect(await find([folder.path], { how: { filter: { tags: ["t"] } } })).toEqual(["b"]);
});

test("a folder without eval files is reported", async () => {
  await expect(find([folder.at(".")])).rejects.toThrow(/^There is no \*\.eval\.ts in /);
});
