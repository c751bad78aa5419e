import { rolldown } from "rolldown";

/** A program with all of its imports, in one flat folder of files. */
export interface Bundle {
  /** Name of the first file. */
  readonly entry: string;
  /** Code by name of the file. */
  readonly files: ReadonlyMap<string, string>;
  /** Warnings of the bundler. */
  readonly warnings: readonly string[];
  /** Imports that are not bundled. */
  readonly external: readonly string[];
}

/** The target of a bundle. */
export type Target = "page" | "worker" | "worker with Node's modules";

const CONDITIONS: Readonly<Record<Target, readonly string[]>> = {
  page: ["browser", "import", "default"],
  // The conditions of Cloudflare's own bundler.
  worker: ["workerd", "worker", "browser", "import", "default"],
  "worker with Node's modules": ["workerd", "worker", "browser", "import", "default"],
};

/**
 * Bundles a program like an application.
 *
 * @param more - Conditions before those of the target.
 */
export async function bundleFor(target: Target, program: string, more: readonly string[] = []): Promise<Bundle> {
  const warnings: string[] = [];
  const build = await rolldown({
    input: program,
    platform: "browser",
    resolve: { conditionNames: [...more, ...CONDITIONS[target]] },
    external: target === "worker with Node's modules" ? [/^node:/] : [],
    onLog: (level, { message }) => void warnings.push(`${level}: ${message}`),
  });
  try {
    const { output } = await build.generate({ format: "esm" });
    const chunks = output.filter((file) => file.type === "chunk");
    const own = new Set(chunks.map(({ fileName }) => fileName));
    const imported = chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports]);
    return {
      entry: chunks.find(({ isEntry }) => isEntry)?.fileName ?? "",
      files: new Map(chunks.map(({ fileName, code }) => [fileName, code])),
      warnings,
      external: [...new Set(imported.filter((name) => !own.has(name)))].toSorted(),
    };
  } finally {
    await build.close();
  }
}
