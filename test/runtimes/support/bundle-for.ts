import { rolldown } from "rolldown";

/** A program and all that it imports, in files beside each other. */
export interface Bundle {
  /** Name of the first file. */
  readonly entry: string;
  /** Code by name of the file. */
  readonly files: ReadonlyMap<string, string>;
  /** What the bundler had to say: nothing when all is well. */
  readonly warnings: readonly string[];
  /** What is imported and not in it. */
  readonly external: readonly string[];
}

/** Where a bundle is to run. */
export type Target = "page" | "worker" | "worker with Node's modules";

const CONDITIONS: Readonly<Record<Target, readonly string[]>> = {
  page: ["browser", "import", "default"],
  // As Cloudflare's own bundler has them.
  worker: ["workerd", "worker", "browser", "import", "default"],
  "worker with Node's modules": ["workerd", "worker", "browser", "import", "default"],
};

/**
 * Bundles a program as an application would.
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
