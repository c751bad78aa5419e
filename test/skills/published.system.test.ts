import { execFile } from "node:child_process";
import { mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { runTool } from "@pollux/core/testing";
import { loadSkills } from "@pollux/tools/skills";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);

/** A package under the MIT license that publishes skills. */
const PUBLISHED = "@elizaos/skills@2.0.0-beta.1";

let folder: string;
let isReached = true;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "pollux-published-")));
  try {
    const { stdout } = await run("npm", ["pack", PUBLISHED, "--silent", "--prefer-offline"], { cwd: folder });
    await run("tar", ["-xzf", stdout.trim()], { cwd: folder });
  } catch {
    isReached = false;
  }
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test("dozens of published skills are loaded and read, each with its files", async ({ skip }) => {
  if (!isReached) skip("the registry can't be reached");
  const published = join(folder, "package/skills");
  const folders = (await readdir(published, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const { skills, instructions, tool } = await loadSkills(published);
  expect(skills.map(({ name }) => name)).toEqual(folders.map(({ name }) => name).toSorted());
  expect(skills.length).toBeGreaterThan(30);
  expect(instructions.split("\n").filter((line) => line.startsWith("- "))).toHaveLength(skills.length);
  for (const { name } of skills) {
    const read = await runTool(tool, { name });
    if (read.status !== "completed") throw new Error(`${name}: ${read.status}`);
    expect(read.output.text).not.toMatch(/^---|^$/);
    for (const file of read.output.files ?? [])
      expect(await runTool(tool, { name, file })).toMatchObject({ status: "completed", output: { file } });
  }
});
