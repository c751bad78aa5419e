import { execFile } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { programCommand } from "../support/programs.ts";

// Against the packed types: nothing here has the condition for the sources.
const root = fileURLToPath(new URL("../../", import.meta.url));
const examples = join(root, "examples");
const names = globSync("*.ts", { cwd: examples }).toSorted();
const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The strictest compiler options, for the types of the packages as well. */
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
  // Except TypeScript's own libraries.
  skipDefaultLibCheck: true,
  noEmit: true,
  allowImportingTsExtensions: true,
};

test("all examples compile in a strict project for Node, as ES modules and as CommonJS", async () => {
  const folder = copyExamples("node");
  for (const name of names)
    writeFileSync(join(folder, name.replace(/\.ts$/, ".cts")), asCommonJs(readFileSync(join(folder, name), "utf8")));
  expect(await compile(folder, { module: "NodeNext", moduleResolution: "NodeNext" })).toBe("");
});

// The config of `bun init` is as strict as others for bundlers, and stricter about imports of types.
test("all examples compile in a strict project for Bun and other bundlers, and Bun bundles them", async () => {
  const folder = copyExamples("bun");
  const options = {
    module: "Preserve",
    moduleResolution: "Bundler",
    moduleDetection: "force",
    verbatimModuleSyntax: true,
  };
  // The packages' types are the same files as above.
  expect(await compile(folder, { ...options, skipLibCheck: true })).toBe("");
  const files = names.map((name) => join(folder, name));
  const args = ["build", "--target=bun", "--packages=external", `--outdir=${join(folder, "out")}`, ...files];
  const built = await promisify(execFile)(programCommand("bun"), args);
  for (const name of names) expect(built.stdout).toContain(name.replace(/\.ts$/, ".js"));
});

/** @returns The compiler's output. */
async function compile(folder: string, options: object): Promise<string> {
  const compilerOptions = { ...STRICT, ...options };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts", "*.cts"] }));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  // Several checkers would each instantiate the types that programs share: half as much work again, for two processors.
  const args = [tsc, "-p", folder, "--singleThreaded"];
  const { stdout } = await promisify(execFile)(process.execPath, args).catch(
    (error: unknown) => error as { stdout: string }, // execFile's
  );
  return stdout;
}

/** Beside the examples, so that their packages resolve. */
function copyExamples(kind: string): string {
  expect(names.length).toBeGreaterThan(20);
  const folder = join(examples, `.compiled-${kind}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  folders.push(folder);
  for (const name of names) {
    const code = readFileSync(join(examples, name), "utf8").replaceAll('from "./', 'from "../');
    writeFileSync(join(folder, name), code);
  }
  return folder;
}

/** Top-level `await` and `import.meta` need ES modules. */
function asCommonJs(code: string): string {
  const isImport = /^import [^;]+;$/gm;
  const body = code.replaceAll(isImport, "").replaceAll("import.meta.url", "`file://${__filename}`");
  const imports = [...code.matchAll(isImport)].map(([line]) => line).join("\n");
  return `${imports}\nasync function main(): Promise<void> {\n${body}\n}\nvoid main();\n`;
}
