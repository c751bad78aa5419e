/** The installed programs of test/programs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const modules = fileURLToPath(new URL("../programs/node_modules/", import.meta.url));

/** The version of a package in test/programs, for example `26.10.0` for `node-newest`. */
export function programVersion(name: string): string {
  const { version } = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8")) as { version: string };
  return version;
}

/** A file inside an installed package: `programFile("node-20", "bin/node")`. */
export function programFile(name: string, path: string): string {
  return join(modules, name, path);
}

/** A package's command in `.bin`, for example `deno`. */
export function programCommand(name: string): string {
  return join(modules, ".bin", name);
}
