import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder for this test, removed after it. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pollux-inspector-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder with a page that needs no build. */
export async function pageFolder(): Promise<string> {
  const folder = join(await testFolder(), "page");
  await mkdir(join(folder, "assets"), { recursive: true });
  await writeFile(join(folder, "index.html"), "<title>Inspector</title>");
  await writeFile(join(folder, "assets", "index-abc.js"), "console.log(1)");
  await writeFile(join(folder, "..", "secret.html"), "a secret");
  await writeFile(join(folder, "notes.txt"), "no part of the page");
  return folder;
}
