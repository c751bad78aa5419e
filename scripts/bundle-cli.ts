/**
 * Bundles @pollux/cli after `tsc -b` has written its types: the program with everything that its commands use, so that it installs
 * without dependencies, and the library with Markdown only, because a program that imports it has its own core and emulator.
 */
import { globSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const folder = fileURLToPath(new URL("../packages/cli", import.meta.url));
const dist = join(folder, "dist");

/** Writes `packages/cli/dist/*.js`, and the licenses of other people's code in it; removes the output of earlier builds. */
export async function bundleCli(): Promise<void> {
  const manifest = readFileSync(join(folder, "package.json"), "utf8");
  const peers = Object.keys((JSON.parse(manifest) as { peerDependencies: object }).peerDependencies);
  for (const file of globSync("**/*.js", { cwd: dist })) rmSync(join(dist, file));
  // The program contains these peers of the library.
  const program = peers.filter((name) => name !== "@pollux/core" && name !== "@pollux/emulator");
  const modules = [...(await bundle("main", program)), ...(await bundle("index", peers))];
  writeFileSync(join(dist, "THIRD-PARTY.txt"), licensesOf(modules));
}

/** Writes the bundle of an entry point. @returns The source files in it. */
async function bundle(entry: string, external: readonly string[]): Promise<readonly string[]> {
  const build = await rolldown({
    cwd: folder,
    input: { [entry]: `src/${entry}.ts` },
    external: external.map((name) => new RegExp(`^${name}(/|$)`)),
    platform: "node",
    resolve: { conditionNames: ["pollux-source", "node", "import", "default"] },
    tsconfig: false,
    transform: { target: "es2023" },
    plugins: [
      {
        // Core hides pino from bundlers; the program has no `node_modules` to find it in.
        name: "pino",
        transform: (code, id) =>
          id.endsWith("pino-writer.ts") ? code.replace("createRequire(import.meta.url)", "require") : undefined,
      },
    ],
  });
  const { output } = await build.write({
    dir: dist,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: `${entry}/[name].js`,
    // As in core.
    minify: false,
  });
  await build.close();
  return output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
}

/** The licenses of the packages that files come from. */
function licensesOf(files: readonly string[]): string {
  const homes = new Set(
    files.flatMap((file) => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(file)?.[0] ?? []),
  );
  const licenses = Array.from(homes, (home) => {
    const { name, version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as Record<string, string>;
    const file = readdirSync(home).find((one) => /^licen[cs]e/i.test(one));
    if (file === undefined) throw new Error(`${name} has no license to publish with @pollux/cli`);
    return `${name} ${version}\n\n${readFileSync(join(home, file), "utf8").trim()}\n`;
  });
  return ["@pollux/cli contains code of these packages.\n", ...licenses.toSorted()].join(`\n${"-".repeat(80)}\n\n`);
}
