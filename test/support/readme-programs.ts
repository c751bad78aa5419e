import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);
const TSC = join(root, "node_modules/typescript/bin/tsc");

/** The packages whose READMEs need a service, a database or a server: a test of each package runs its programs. */
const WITH_SERVICES = ["dbos", "interactions", "otel", "postgres", "restate"];

/** The `ts` blocks of a package's README, as programs. */
export interface ReadmePrograms {
  readonly count: number;
  /** Path of one, by its index on the page. */
  file(index: number): string;
  write(): void;
  /** Runs one to its end. @returns Its output. */
  run(index: number, env: NodeJS.ProcessEnv): Promise<string>;
  remove(): void;
}

/**
 * @param packageFolder - Below the root, such as `packages/dbos`.
 * @param purpose - Part of the name of their folder.
 */
export function readmePrograms(packageFolder: string, purpose = "run"): ReadmePrograms {
  const page = readFileSync(join(root, packageFolder, "README.md"), "utf8");
  const programs = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
  // Inside the package, so that its dependencies resolve. Git, the linter and the compiler ignore folders of this name.
  const folder = join(root, packageFolder, "test/dist", purpose);
  const file = (index: number): string => join(folder, `${index}.ts`);
  return {
    count: programs.length,
    file,
    write: () => {
      mkdirSync(folder, { recursive: true });
      for (const [index, code] of programs.entries()) writeFileSync(file(index), `${code}export {};\n`);
    },
    run: async (index, env) => {
      const program = ["--conditions=pollux-source", file(index)];
      const { stdout } = await run(process.execPath, program, {
        env: { PATH: process.env["PATH"], ...env },
        timeout: 120_000,
      });
      return stdout;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The compiler's output for the programs of these packages' READMEs under the strictest settings: empty without errors. */
export async function compileReadmes(): Promise<string> {
  const readmes = WITH_SERVICES.map((name) => readmePrograms(`packages/${name}`, "compile"));
  const folder = join(root, "test/.snippets-readmes");
  mkdirSync(folder, { recursive: true });
  try {
    for (const readme of readmes) readme.write();
    const config = {
      extends: join(root, "tsconfig.base.json"),
      compilerOptions: { noEmit: true, rootDir: root },
      files: readmes.flatMap((readme) => Array.from({ length: readme.count }, (_, index) => readme.file(index))),
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const { stdout } = await run(process.execPath, [TSC, "-p", folder]).catch(
      (error: unknown) => error as { stdout: string },
    );
    return stdout;
  } finally {
    for (const readme of readmes) readme.remove();
    rmSync(folder, { recursive: true });
  }
}
