import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);
const TSC = join(root, "node_modules/typescript/bin/tsc");

/** The `ts` blocks of a package's README, as programs of their own. */
export interface ReadmePrograms {
  readonly count: number;
  /** Path of one, by its place on the page. */
  file(index: number): string;
  write(): void;
  /** What the compiler says under the strictest settings: nothing when all is well. */
  compile(): Promise<string>;
  /** Runs one to its end. @returns What it printed. */
  run(index: number, env: NodeJS.ProcessEnv): Promise<string>;
  remove(): void;
}

/** @param packageFolder - Below the root, such as `packages/dbos`. */
export function readmePrograms(packageFolder: string): ReadmePrograms {
  const page = readFileSync(join(root, packageFolder, "README.md"), "utf8");
  const programs = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
  // Inside the package, so that its dependencies are found. Git, the linter and the compiler leave folders of this name alone.
  const folder = join(root, packageFolder, "test/dist");
  const file = (index: number): string => join(folder, `${index}.ts`);
  return {
    count: programs.length,
    file,
    write: () => {
      mkdirSync(folder, { recursive: true });
      for (const [index, code] of programs.entries()) writeFileSync(file(index), `${code}export {};\n`);
    },
    compile: async () => {
      const config = {
        extends: join(root, "tsconfig.base.json"),
        compilerOptions: { noEmit: true, rootDir: root },
        include: ["*.ts"],
      };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
      const { stdout } = await run(process.execPath, [TSC, "-p", folder]).catch(
        (error: unknown) => error as { stdout: string },
      );
      return stdout;
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
