import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Path of the repository. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

/** Text of a file. @param path - From the root of the repository, with `/`. */
export function readFile(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Whether the repository has this file or folder. */
export function exists(path: string): boolean {
  return existsSync(join(ROOT, path));
}

/** The files in a folder and below it, sorted, as paths from the root; without what is installed or built there. */
export function filesIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter(({ name }) => name !== "node_modules" && name !== "dist" && !name.startsWith("."))
    .flatMap((entry) => (entry.isDirectory() ? filesIn(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`]))
    .toSorted();
}

/** The folders of `packages`. */
export function packageFolders(): readonly string[] {
  return readdirSync(join(ROOT, "packages")).filter((name) => exists(`packages/${name}/package.json`));
}

/** What the site reads of a package's manifest. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly exports?: Readonly<Record<string, string | { readonly "pollux-source"?: string }>>;
}

/** The manifest of one of our packages. */
export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFile(`packages/${folder}/package.json`)) as Manifest;
}

/** What one imports, with the source behind it: `@pollux/core/wire` and `packages/core/src/wire/index.ts`. */
export function entryPoints(): readonly { readonly name: string; readonly source: string }[] {
  return packageFolders().flatMap((folder) => {
    const { name, exports = {} } = manifestOf(folder);
    return Object.entries(exports).flatMap(([path, target]) => {
      const source = typeof target === "string" ? undefined : target["pollux-source"];
      return source === undefined
        ? []
        : [{ name: name + path.slice(1), source: `packages/${folder}/${source.slice(2)}` }];
    });
  });
}
