import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseAst } from "rolldown/parseAst";

/** The static and dynamic imports of a module. */
export interface Imports {
  readonly specifiers: readonly string[];
  /** Whether one of them has a computed specifier, which bundlers can't follow and workerd refuses. */
  readonly isVariable: boolean;
}

/** Reads a module's imports, re-exports and calls of `import()`. */
export function importsOf(code: string): Imports {
  const specifiers: string[] = [];
  let isVariable = false;
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) visit(item);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return;
    const { type, source } = value as {
      readonly type?: unknown;
      readonly source?: { readonly value?: unknown } | null;
    };
    if (IMPORTING.has(type) && source) {
      if (typeof source.value === "string") specifiers.push(source.value);
      else isVariable = true;
    }
    for (const child of Object.values(value)) visit(child);
  };
  visit(parseAst(code));
  return { specifiers, isVariable };
}

const IMPORTING: ReadonlySet<unknown> = new Set([
  "ImportDeclaration",
  "ImportExpression",
  "ExportAllDeclaration",
  "ExportNamedDeclaration",
]);

/** A file with a computed import. */
export interface VariableImport {
  /** Beginning with the package's name. */
  readonly file: string;
  /** Whether an entry of the package leads to it. */
  readonly isReachable: boolean;
}

/** Looks through a packed package. */
export function variableImports(tarball: string): readonly VariableImport[] {
  const folder = mkdtempSync(join(tmpdir(), "pollux-imports-"));
  try {
    execFileSync("tar", ["-xzf", tarball, "-C", folder]);
    const root = join(folder, "package");
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
    const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".js"));
    const imports = new Map(files.map((path) => [path, importsOf(readFileSync(join(root, path), "utf8"))]));
    const reached = new Set(targetsIn(manifest.exports));
    for (const path of reached) {
      for (const specifier of imports.get(path)?.specifiers ?? []) {
        if (specifier.startsWith(".")) reached.add(join(dirname(path), specifier));
        if (specifier.startsWith("#"))
          for (const target of targetsIn(manifest.imports?.[specifier])) reached.add(target);
      }
    }
    return files
      .filter((path) => imports.get(path)?.isVariable === true)
      .map((path) => ({ file: `${manifest.name}/${path}`, isReachable: reached.has(path) }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Manifest {
  readonly name: string;
  readonly exports: unknown;
  readonly imports?: Readonly<Record<string, unknown>>;
}

/** Files that a map of conditions names, at any depth. */
function targetsIn(map: unknown): readonly string[] {
  if (typeof map === "string") return [join(map)];
  return typeof map === "object" && map !== null ? Object.values(map).flatMap(targetsIn) : [];
}
