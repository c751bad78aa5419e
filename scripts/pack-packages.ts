import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { buildPage } from "../packages/inspector/page/build.ts";
import { bundleCli } from "./bundle-cli.ts";
import { bundleCore } from "./bundle.ts";
import { writePackageDocs } from "./package-docs.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));

/** One package, as it would be published. */
export interface PackedPackage {
  readonly name: string;
  /** Absolute path of the tarball. */
  readonly tarball: string;
  /** Paths inside the package, `/` as separator. */
  readonly files: readonly string[];
}

/**
 * Builds the packages and packs them into a folder with pnpm, which replaces `workspace:` with real versions and applies
 * `publishConfig`.
 *
 * @param destination Absolute path of an existing folder.
 * @param names Folders of `packages`, with core among them; all by default.
 */
export async function packPackages(
  destination: string,
  names: readonly string[] = readdirSync(join(root, "packages")),
): Promise<readonly PackedPackage[]> {
  const folders = names.map((name) => join(root, "packages", name));
  await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b", ...folders], { cwd: root });
  for (const folder of folders) removeOrphans(join(folder, "src"), join(folder, "dist"));
  await bundleCore();
  if (names.includes("cli")) await bundleCli();
  if (names.includes("inspector")) await buildPage();
  writePackageDocs();

  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { packageManager: string };
  const { stdout } = await run(
    "npx",
    [
      "--yes",
      packageManager,
      ...names.map((name) => `--filter=./packages/${name}`),
      "pack",
      "--pack-destination",
      destination,
      "--json",
    ],
    // On Windows, npx is a script of the shell.
    {
      cwd: root,
      env: { ...process.env, npm_config_loglevel: "error" },
      shell: process.platform === "win32",
    },
  );
  // An object if there is only one.
  const packed = JSON.parse(stdout) as Packed | readonly Packed[];
  return [packed]
    .flat()
    .map(({ name, filename, files }) => ({ name, tarball: filename, files: files.map(({ path }) => path) }));
}

interface Packed {
  readonly name: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** `tsc -b` leaves behind the output of deleted or renamed sources, which must not be published. */
function removeOrphans(source: string, output: string): void {
  for (const entry of readdirSync(output, { recursive: true, encoding: "utf8" })) {
    const stem = /^(.*?)(?:\.d\.ts|\.js)(?:\.map)?$/.exec(entry)?.[1];
    // Of the inspector's page, which is built below.
    if (entry.startsWith("page/")) continue;
    if (stem === undefined) continue;
    const hasSource = [".ts", ".tsx"].some((ending) => existsSync(join(source, `${stem}${ending}`)));
    if (entry.endsWith(".map") || !hasSource) rmSync(join(output, entry));
  }
}

// `node scripts/pack-packages.ts FOLDER`
if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? "packed");
  mkdirSync(folder, { recursive: true });
  for (const { tarball } of await packPackages(folder)) console.log(tarball);
}
