import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import type { PackedPackage } from "../../scripts/pack-packages.ts";

const run = promisify(execFile);
const workspace = readFileSync(new URL("../../pnpm-workspace.yaml", import.meta.url), "utf8");

/** The argument of `npm install` for the workspace's version of zod. */
export const ZOD = `zod@${/^ {2}zod: (\S+)$/m.exec(workspace)?.[1]}`;

const tools = JSON.parse(readFileSync(new URL("../../packages/tools/package.json", import.meta.url), "utf8")) as {
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: object;
};

/** The arguments of `npm install` for everything the tools need besides `@pollux/tools`. */
export const TOOL_PEERS: readonly string[] = Object.keys(tools.peerDependenciesMeta).map(
  (name) => `${name}@${tools.peerDependencies[name]}`,
);

/**
 * Installs into a folder with a package.json like a user, with npm; from its cache if possible.
 *
 * npm selects versions for the Node it runs on, which is the first one in `env`'s path.
 */
export async function npmInstall(
  folder: string,
  specs: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const flags = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
  await run("npm", ["install", ...flags, ...specs], { cwd: folder, env });
}

/** Path of one package's tarball. */
export function tarballOf(packed: readonly PackedPackage[], name: string): string {
  const found = packed.find((each) => each.name === name);
  if (found === undefined) throw new Error(`${name} was not packed`);
  return found.tarball;
}
