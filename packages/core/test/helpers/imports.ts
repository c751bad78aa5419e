import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("../../src/", import.meta.url));

/** A module of core. */
export interface Module {
  readonly text: string;
  /** Modules of core that it imports, statically or on demand, including type-only imports. */
  readonly imports: readonly string[];
}

/** All modules of core, by their path in `src`. */
export function readModules(): ReadonlyMap<string, Module> {
  const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(SOURCE, file), "utf8");
      const imports = [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map(([, target = ""]) =>
        normalize(join(dirname(file), target)),
      );
      return [file, { text, imports }];
    }),
  );
}

/** A module and all modules that it reaches. */
export function reachableFrom(file: string, modules: ReadonlyMap<string, Module>): ReadonlySet<string> {
  const reached = new Set([file]);
  // Iterating over a set includes values that are added meanwhile.
  for (const one of reached) for (const target of modules.get(one)?.imports ?? []) reached.add(target);
  return reached;
}
