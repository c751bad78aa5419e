import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { Files } from "./published-forms.ts";

/** A new folder with these files, until the test ends. */
export async function folderWith(files: Files = {}): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "pollux-skills-")));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFiles(folder, files);
  return folder;
}

export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** A `SKILL.md`. */
export function skillText(name: string, { description = "Does it.", body = "Do it." } = {}): string {
  return `---\nname: ${name}\ndescription: ${description}\n---\n\n${body}\n`;
}
