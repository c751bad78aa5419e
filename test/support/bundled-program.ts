import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The variable with the folder of {@link BUNDLED_PROGRAMS}, each as one file; set while the system tests run. */
export const FOLDER_VARIABLE = "POLLUX_TEST_PROGRAMS";

/** Programs that the system tests start so often that loading their hundreds of source files would take most of the time. */
export const BUNDLED_PROGRAMS: readonly string[] = [
  "packages/core/test/node/programs/append.ts",
  "packages/core/test/node/programs/hold.ts",
  "packages/core/test/node/programs/map-documents.ts",
  "packages/core/test/wire/http/read-huge.ts",
  "packages/postgres/test/support/store-program.ts",
  "test/deploys/support/dying-process.ts",
  "test/exchanges/programs/keep.ts",
  "test/faults/support/agent-process.ts",
  "test/faults/support/rivals/rival-process.ts",
  "test/faults/support/rivals/stream-process.ts",
  "test/races/support/race-process.ts",
];

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The file to start a program with: its bundle if there is one, otherwise its source. Both work with `--conditions=pollux-source`. */
export function bundledProgram(source: URL): string {
  const file = fileURLToPath(source);
  const folder = process.env[FOLDER_VARIABLE];
  if (folder === undefined) return file;
  const bundled = join(folder, relative(root, file).replace(/\.ts$/, ".mjs"));
  return existsSync(bundled) ? bundled : file;
}
