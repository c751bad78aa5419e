import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createEmulator } from "@pollux/emulator";
import { programCommand } from "../../support/programs.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Every `ts` block of the pages a user reads, as a program of its own. */
export function snippets(): readonly { readonly name: string; readonly code: string }[] {
  const guides = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".md"),
  );
  const pages = [
    "README.md",
    "packages/core/README.md",
    "packages/tools/README.md",
    "packages/emulator/README.md",
    "packages/cli/README.md",
    ...guides.map((file) => `docs/${file}`),
  ];
  return pages.flatMap((page) => {
    const blocks = readFileSync(join(root, page), "utf8").matchAll(/^```ts\n([\s\S]*?)^```$/gm);
    return [...blocks].map(([, code = ""], index) => ({
      name: `${page.replaceAll(/[^\w]+/g, "-")}-${index + 1}`,
      code,
    }));
  });
}

/** Whether a snippet starts somebody else's program, which only system tests install. */
export function needsPrograms(code: string): boolean {
  return code.includes('command: "mcp-server-');
}

/** The snippets as files, and what they need to run: a service, and an environment that names it. */
export interface SnippetFolder extends AsyncDisposable {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  file(name: string): string;
}

/** @param folderName - Below `test/`; Git, the linter and the compiler leave those that begin with `.snippets` alone. */
export async function openSnippets(folderName: string): Promise<SnippetFolder> {
  const folder = join(root, "test", folderName);
  const server = await createEmulator().listen();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // A file for those that read one.
  copyFileSync(join(root, "README.md"), join(folder, "README.md"));
  for (const { name, code } of snippets()) writeFileSync(join(folder, `${name}.ts`), `${code}export {};\n`);
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: "../../tsconfig.base.json",
      compilerOptions: { noEmit: true, rootDir: "../.." },
      include: ["*.ts"],
    }),
  );
  const { GOOGLE_API_KEY: _g, GEMINI_API_KEY: _m, ...rest } = process.env;
  // Where npm puts the commands of installed packages for the scripts it runs.
  const PATH = [dirname(programCommand("node")), rest["PATH"]].join(delimiter);
  return {
    folder,
    env: { ...rest, PATH, GOOGLE_GEMINI_BASE_URL: server.url, COMETAPI_KEY: "not-used" },
    file: (name) => join(folder, `${name}.ts`),
    [Symbol.asyncDispose]: async () => {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
