import { execFile } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { programCommand } from "../support/programs.ts";

// Against the types that are packed: nothing here has the condition that leads to the sources.
const root = fileURLToPath(new URL("../../", import.meta.url));
const examples = join(root, "examples");
const names = globSync("*.ts", { cwd: examples }).toSorted();
const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** As strict as a compiler can be told to be, about the types of the packages as well. */
const STRICT = {
  target: "ES2023",
  lib: ["ES2023", "ESNext.Disposable", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
  types: ["node"],
  typeRoots: [join(root, "node_modules/@types")],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noImplicitOverride: true,
  noPropertyAccessFromIndexSignature: true,
  noImplicitReturns: true,
  skipLibCheck: false,
  noEmit: true,
  allowImportingTsExtensions: true,
};

/** What `bun init` writes. */
const BUN = { module: "Preserve", moduleResolution: "Bundler", moduleDetection: "force", verbatimModuleSyntax: true };

test.each([
  ["nodenext", { module: "NodeNext", moduleResolution: "NodeNext" }],
  ["bundler", { module: "ESNext", moduleResolution: "Bundler" }],
  ["commonjs", { module: "NodeNext", moduleResolution: "NodeNext" }],
  ["bun", BUN],
])("all examples compile in a strict project for %s", async (kind, options) => {
  expect(names.length).toBeGreaterThan(20);
  const folder = copyExamples(kind);
  const compilerOptions = { ...STRICT, ...options };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts", "*.cts"] }));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", folder]).catch(
    (error: unknown) => error as { stdout: string },
  );
  expect(stdout).toBe("");
  if (kind !== "bun") return;
  const files = names.map((name) => join(folder, name));
  const args = ["build", "--target=bun", "--packages=external", `--outdir=${join(folder, "out")}`, ...files];
  const built = await promisify(execFile)(programCommand("bun"), args);
  for (const name of names) expect(built.stdout).toContain(name.replace(/\.ts$/, ".js"));
});

/** Beside the examples, so that their packages are found. */
function copyExamples(kind: string): string {
  const folder = join(examples, `.compiled-${kind}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  folders.push(folder);
  for (const name of names) {
    const code = readFileSync(join(examples, name), "utf8").replaceAll('from "./', 'from "../');
    if (kind === "commonjs") writeFileSync(join(folder, name.replace(/\.ts$/, ".cts")), asCommonJs(code));
    else writeFileSync(join(folder, name), code);
  }
  return folder;
}

/** Waiting at the top, and `import.meta`, are for ES modules only. */
function asCommonJs(code: string): string {
  const isImport = /^import [^;]+;$/gm;
  const body = code.replaceAll(isImport, "").replaceAll("import.meta.url", "`file://${__filename}`");
  const imports = [...code.matchAll(isImport)].map(([line]) => line).join("\n");
  return `${imports}\nasync function main(): Promise<void> {\n${body}\n}\nvoid main();\n`;
}
