import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { buildVersions } from "../../site/build-versions.ts";
import { olderVersions } from "../../site/src/versions.ts";

// `site.system.test.ts` has the drop-down that shows them.
test.each([
  ["nothing was released", [], "0.1.0", []],
  ["only this one was", ["@pollux/core@0.1.0", "@pollux/web@0.1.0"], "0.1.0", []],
  [
    "each minor has its last release",
    tagsOf("0.1.0", "0.1.9", "0.1.10", "0.2.0", "0.2.1"),
    "0.3.0",
    ["0.2.1", "0.1.10"],
  ],
  ["the current minor is there already", tagsOf("0.9.0", "0.10.0", "0.10.1"), "0.10.2", ["0.9.0"]],
  ["newer ones are not older", tagsOf("1.0.0", "0.1.0"), "0.2.0", ["0.1.0"]],
  ["previews are none", tagsOf("0.1.0-next.1"), "0.2.0", []],
  [
    "four are enough",
    tagsOf("0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0"),
    "1.0.0",
    ["0.5.0", "0.4.0", "0.3.0", "0.2.0"],
  ],
])("the site keeps older versions: %s", (_what, tags, current, kept) => {
  expect(olderVersions(tags, current).map(({ tag }) => tag)).toEqual(tagsOf(...kept));
});

test("each version is built from its tag, at its own address, and all are in versions.json", () => {
  const root = mkdtempSync(join(tmpdir(), "pollux-versions-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=Test", "-c", "user.email=test@example.com", ...args], {
      cwd: root,
      encoding: "utf8",
    });
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  // Stands for the install and the build, which take minutes.
  const build = `import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
    const { SITE_BASE, SITE_ROOT, SITE_REPOSITORY } = process.env;
    mkdirSync("site/dist", { recursive: true });
    const { version } = JSON.parse(readFileSync("packages/core/package.json", "utf8"));
    writeFileSync("site/dist/index.html", [version, process.argv[2], SITE_BASE, SITE_ROOT, SITE_REPOSITORY].join(" "));`;
  git("init", "--quiet");
  write("scripts/bootstrap.mjs", build);
  for (const version of ["0.1.0", "0.2.0"]) {
    write("packages/core/package.json", JSON.stringify({ version }));
    git("add", "--all");
    git("commit", "--quiet", "--message", version);
    git("tag", `@pollux/core@${version}`);
  }

  buildVersions(root, {
    ...process.env,
    SITE_BASE: "/pollux/",
    SITE_REPOSITORY: "https://git.example/someone/pollux/blob/0123abc",
  });
  const read = (file: string): string => readFileSync(join(root, "site/dist", file), "utf8");
  const repository = "https://git.example/someone/pollux/blob/";
  expect(read("index.html")).toBe(`0.2.0 docs:build /pollux/  ${repository}0123abc`);
  expect(read("v0.1/index.html")).toBe(`0.1.0 docs:build /pollux/v0.1/ /pollux/ ${repository}%40pollux%2Fcore%400.1.0`);
  expect(JSON.parse(read("versions.json"))).toEqual([
    { name: "0.2.0", path: "" },
    { name: "0.1", path: "v0.1/" },
  ]);
  expect(git("worktree", "list").trim().split("\n")).toHaveLength(1);
});

function tagsOf(...versions: readonly string[]): readonly string[] {
  return versions.map((version) => `@pollux/core@${version}`);
}
