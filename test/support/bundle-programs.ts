/** Setup of the system project: bundles each program that its tests start often into one file, once for all tests. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { BUNDLED_PROGRAMS, FOLDER_VARIABLE } from "./bundled-program.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tests = join(root, "test/");

/** @internal Called by vitest, by this name. @returns A function that removes them. */
export async function setup(): Promise<() => void> {
  const cache = join(root, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  // Inside the repository, so that imports of packages resolve.
  const folder = mkdtempSync(join(cache, "programs-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const bundle = await rolldown({
      cwd: root,
      input: Object.fromEntries(BUNDLED_PROGRAMS.map((file) => [file.replace(/\.ts$/, ""), file])),
      platform: "node",
      // Adds `import` and `require` for each kind of import.
      resolve: { conditionNames: ["pollux-source", "node"] },
      logLevel: "warn",
      plugins: [
        {
          name: "own-addresses",
          // A program still finds the files beside its source.
          transform: (code, id) =>
            id.startsWith(tests) ? code.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(id).href)) : null,
        },
      ],
    });
    await bundle.write({ dir: folder, entryFileNames: "[name].mjs", chunkFileNames: "shared/[name].mjs" });
    await bundle.close();
  } catch (error) {
    remove();
    throw error;
  }
  process.env[FOLDER_VARIABLE] = folder;
  return remove;
}
