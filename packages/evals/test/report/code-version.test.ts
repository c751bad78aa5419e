import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { codeVersion } from "../../src/report/code-version.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollux-version-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function git(...args: readonly string[]): string {
  const name = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
  return execFileSync("git", [...name, ...args], { cwd: folder, encoding: "utf8" }).trim();
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(join(folder, path, ".."), { recursive: true });
  await writeFile(join(folder, path), text);
}

async function committed(): Promise<void> {
  git("init", "--quiet");
  await write("agent.ts", "1");
  await write("src/support.baseline.json", "old");
  git("add", "--all");
  git("commit", "--quiet", "--message", "First");
}

test("is the tree of the code with its changes, staged, unstaged or new, and back again without them", async () => {
  await committed();
  const first = await codeVersion(folder);
  expect(first).toEqual({
    tree: expect.stringMatching(/^[0-9a-f]{40}$/),
    commit: git("rev-parse", "HEAD"),
    hasChanges: false,
  });
  await write("agent.ts", "2");
  const changed = await codeVersion(folder);
  expect(changed).toEqual({ ...first, tree: expect.not.stringMatching(first.tree), hasChanges: true });
  git("add", "agent.ts");
  expect(await codeVersion(join(folder, "src"))).toEqual(changed);
  await write("agent.ts", "1");
  await write("src/new.ts", "3");
  const added = await codeVersion(folder);
  expect([first.tree, changed.tree]).not.toContain(added.tree);
  git("rm", "--quiet", "--cached", "--force", "agent.ts");
  expect(await codeVersion(folder)).toEqual(added);
  await rm(join(folder, "src/new.ts"));
  expect(await codeVersion(folder)).toEqual(first);
});

test("sees a change of the same size in the second in which git wrote its index", async () => {
  await committed();
  git("config", "core.trustctime", "false");
  const first = await codeVersion(folder);
  const [file, index] = [join(folder, "agent.ts"), join(folder, ".git/index")];
  await utimes(file, 1_700_000_000, 1_700_000_000);
  git("update-index", "--refresh");
  await write("agent.ts", "2");
  for (const path of [file, index]) await utimes(path, 1_700_000_000, 1_700_000_000);
  expect((await codeVersion(folder)).tree).not.toBe(first.tree);
});

test("leaves the repository as it was: its index, its objects, its files", async () => {
  await committed();
  await write("new.ts", "3");
  const before = [git("status", "--porcelain"), git("count-objects"), git("stash", "list")];
  await codeVersion(folder);
  expect([git("status", "--porcelain"), git("count-objects"), git("stash", "list")]).toEqual(before);
});

test("does not change with what evals write, nor with reports, nor with files that git ignores", async () => {
  await committed();
  await write(".gitignore", "*.log");
  const before = await codeVersion(folder);
  await write(".pollux/evals.sqlite", "trials");
  await write("src/.pollux/evals/support/1.json", "run");
  await write("src/support.baseline.json", "new");
  await write("src/report.xml", "report");
  await write("agent.log", "line");
  expect(await codeVersion(join(folder, "src"), [join(folder, "src/report.xml"), "elsewhere.json"])).toEqual(before);
  expect(await codeVersion(folder)).not.toEqual(before);
});

test("has no commit before the first one", async () => {
  git("init", "--quiet");
  await write("agent.ts", "1");
  const version = await codeVersion(folder);
  expect(version).toEqual({ tree: expect.stringMatching(/^[0-9a-f]{40}$/), hasChanges: true });
  expect(await codeVersion(folder)).toEqual(version);
});

test("is another text each time outside of a repository", async () => {
  const version = await codeVersion(folder);
  expect(Object.keys(version)).toEqual(["tree"]);
  expect(await codeVersion(folder)).not.toEqual(version);
});
