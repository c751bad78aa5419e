import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Writes the files of a project, all or none.
 *
 * @param folder - An empty or missing folder, except for files to keep in it.
 * @param files - Texts by path.
 */
export function writeFiles(folder: string, files: ReadonlyMap<string, string>): void {
  // The first folder that was made, if any was.
  const made = mkdirSync(folder, { recursive: true });
  const before = new Set(readdirSync(folder));
  try {
    for (const [path, text] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text, { flag: "wx" });
    }
  } catch (error) {
    const added = readdirSync(folder).filter((name) => !before.has(name));
    for (const path of made === undefined ? added.map((name) => join(folder, name)) : [made])
      rmSync(path, { recursive: true, force: true });
    throw error;
  }
}
