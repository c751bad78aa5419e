import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { budgetRows, sizeOfPackage, sizeProblems } from "../../scripts/package-size.ts";

const budgets = { pack: { packed: 100, unpacked: 1000 } };

test.each([
  ["fits", { packed: 100, unpacked: 1000 }, []],
  ["is too large to load", { packed: 101, unpacked: 1000 }, ["pack has 101 bytes packed, and its budget is 100"]],
  [
    "is too large in both ways",
    { packed: 200, unpacked: 2000 },
    ["pack has 200 bytes packed, and its budget is 100", "pack has 2000 bytes unpacked, and its budget is 1000"],
  ],
])("a package that %s", (_what, size, problems) => {
  expect(sizeProblems("pack", size, budgets)).toEqual(problems);
});

test("a package without a budget is a problem", () => {
  const said = sizeProblems("new", { packed: 1, unpacked: 1 }, budgets);
  expect(said).toEqual(["new has no budget: add one in scripts/package-size.ts"]);
});

test("each package has a budget", () => {
  const packages = fileURLToPath(new URL("../../packages/", import.meta.url));
  const names = readdirSync(packages).map((folder) => {
    const manifest = readFileSync(join(packages, folder, "package.json"), "utf8");
    return (JSON.parse(manifest) as { name: string }).name;
  });
  expect(names.filter((name) => sizeProblems(name, { packed: 0, unpacked: 0 }).length > 0)).toEqual([]);
});

test("CONTRIBUTING lists the budgets as they are", () => {
  const page = readFileSync(fileURLToPath(new URL("../../CONTRIBUTING.md", import.meta.url)), "utf8");
  const [, table = ""] = /^\| what +\| at most +\|\n\|[-| ]+\|\n((?:\|.+\n)+)/m.exec(page) ?? [];
  const rows = table
    .trimEnd()
    .split("\n")
    .map((row) =>
      row
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  expect(rows).toEqual(budgetRows());
});

test("a tarball is measured, packed and unpacked", () => {
  const folder = mkdtempSync(join(tmpdir(), "pollux-size-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "package/dist"), { recursive: true });
  writeFileSync(join(folder, "package/package.json"), "x".repeat(300));
  writeFileSync(join(folder, "package/dist/index.js"), "y".repeat(70_000));
  const tarball = join(folder, "package.tgz");
  execFileSync("tar", ["-czf", tarball, "-C", folder, "package"]);
  expect(sizeOfPackage(tarball)).toEqual({ packed: statSync(tarball).size, unpacked: 70_300 });
});
