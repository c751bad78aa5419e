import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type OutputChunk, rolldown } from "rolldown";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A program with all of its imports, minified. */
export interface Bundled {
  /** Of all chunks, including lazy ones. */
  readonly code: string;
  readonly bytes: number;
  /** Of lazy chunks. */
  readonly laterBytes: number;
  /** Of the initial chunks. */
  readonly gzipped: number;
  /** Installed packages with code in it. */
  readonly packages: readonly string[];
  /** Packages in lazy chunks only. */
  readonly laterPackages: readonly string[];
  /** Our source files with code in it, from the root of the repository. */
  readonly files: readonly string[];
}

/**
 * Bundles a program like an application.
 *
 * @param entries - Locations of our packages; by default their sources.
 */
export async function bundleProgram(
  program: string,
  entries: Readonly<Record<string, string>> = sourceEntries(),
): Promise<Bundled> {
  const entry = join(root, "test/packaging/application.js");
  const build = await rolldown({
    input: entry,
    platform: "node",
    logLevel: "silent",
    resolve: { conditionNames: ["pollux-source", "import", "default"] },
    plugins: [
      {
        name: "application",
        // Resolving everything else here would take longer than the bundler itself.
        resolveId: {
          filter: { id: /^@pollux\/|application\.js$/ },
          handler: (id) => (id === entry ? id : entries[id]),
        },
        load: { filter: { id: /application\.js$/ }, handler: (id) => (id === entry ? program : undefined) },
      },
    ],
  });
  try {
    const { output } = await build.generate({ format: "esm", minify: true });
    const chunks = output.filter((file) => file.type === "chunk");
    const includedIn = (some: readonly OutputChunk[]): string[] =>
      some
        .flatMap(({ modules }) => Object.entries(modules))
        .filter(([id, { renderedLength }]) => renderedLength > 0 && id !== entry && !id.startsWith("\0"))
        .map(([id]) => id);
    const packagesIn = (some: readonly OutputChunk[]): string[] =>
      [...new Set(includedIn(some).flatMap((id) => packageOf(id) ?? []))].toSorted();
    const atOnce = loadedAtOnce(chunks);
    const early = new Set(packagesIn(atOnce));
    const code = chunks.map((chunk) => chunk.code).join("\n");
    return {
      code,
      bytes: Buffer.byteLength(code),
      laterBytes: bytesOf(chunks) - bytesOf(atOnce),
      gzipped: atOnce.reduce((sum, chunk) => sum + gzipSync(chunk.code).length, 0),
      packages: packagesIn(chunks),
      laterPackages: packagesIn(chunks).filter((name) => !early.has(name)),
      files: includedIn(chunks)
        .filter((id) => packageOf(id) === undefined)
        .map((id) => id.slice(root.length)),
    };
  } finally {
    await build.close();
  }
}

function loadedAtOnce(chunks: readonly OutputChunk[]): readonly OutputChunk[] {
  const atOnce = new Set(chunks.filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName));
  // Iterating over a set includes items added during the loop.
  for (const fileName of atOnce)
    for (const imported of chunks.find((chunk) => chunk.fileName === fileName)?.imports ?? []) atOnce.add(imported);
  return chunks.filter(({ fileName }) => atOnce.has(fileName));
}

function bytesOf(chunks: readonly OutputChunk[]): number {
  return chunks.reduce((sum, { code }) => sum + Buffer.byteLength(code), 0);
}

/** Entry points of our packages by import specifier, in their sources. */
export function sourceEntries(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    ["core", "tools"].flatMap((name) =>
      subpathsOf(name).map(({ subpath, source }) => [
        `@pollux/${name}${subpath.slice(1)}`,
        join(root, "packages", name, source),
      ]),
    ),
  );
}

/** Subpaths that a package of ours exports, such as `./wire`. */
export function subpathsOf(name: string): readonly { readonly subpath: string; readonly source: string }[] {
  const { exports } = manifestOf(name);
  return Object.entries(exports).flatMap(([subpath, targets]) =>
    typeof targets === "string" ? [] : [{ subpath, source: targets["pollux-source"] }],
  );
}

/** Direct third-party dependencies of one of our packages, including optional ones. */
export function dependenciesOf(name: string): readonly string[] {
  const { dependencies, peerDependenciesMeta = {} } = manifestOf(name);
  return [...Object.keys(dependencies), ...Object.keys(peerDependenciesMeta)]
    .filter((each) => !each.startsWith("@pollux/"))
    .toSorted();
}

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly "pollux-source": string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  /** Optional dependencies. */
  readonly peerDependenciesMeta?: Readonly<Record<string, unknown>>;
}

function manifestOf(name: string): Manifest {
  // One of ours, with the same size in every package.
  return JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")) as Manifest;
}

/** The package that an installed file belongs to; undefined for our own. */
function packageOf(id: string): string | undefined {
  return /.*\/node_modules\/(?!\.)((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
}
