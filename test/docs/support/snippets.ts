import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createEmulator } from "@pollux/emulator";
import { programCommand } from "../../support/programs.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** A `ts` block of a page, as a program of its own. */
export interface Snippet {
  readonly name: string;
  /** Path of its page, from the root. */
  readonly page: string;
  readonly code: string;
  /** What the page says the program prints: the `text` block right after it, if there is one. */
  readonly output: string | undefined;
}

/** The pages a user reads, as paths from the root. */
export function userPages(): readonly string[] {
  const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file.replaceAll("\\", "/")}`);
  const packages = ["core", "tools", "emulator", "cli"].map((name) => `packages/${name}/README.md`);
  return ["README.md", ...packages, ...docs.sort()];
}

/** A program, and what it prints. */
const PROGRAM = /^```ts\n([\s\S]*?)^```$(?:\n\n```text\n([\s\S]*?)^```$)?/gm;

/** Every program of the pages a user reads. */
export function snippets(): readonly Snippet[] {
  return userPages().flatMap((page) =>
    [...readPage(page).matchAll(PROGRAM)].map(([, code = "", output], index) => ({
      name: `${page.replaceAll(/[^\w]+/g, "-")}-${index + 1}`,
      page,
      code,
      output,
    })),
  );
}

/** Text of a page. @param page - From the root, such as `docs/README.md`. */
export function readPage(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

/** Puts what the programs print into their `text` blocks. A program without such a block gets none. */
export function writeOutputs(page: string, outputs: ReadonlyMap<string, string>): void {
  const found = snippets().filter((snippet) => snippet.page === page);
  let index = 0;
  const text = readPage(page).replaceAll(PROGRAM, (block, code: string, output: string | undefined) => {
    const printed = outputs.get(found[index++]?.name ?? "");
    if (output === undefined || printed === undefined || isOutput(output, printed)) return block;
    return `\`\`\`ts\n${code}\`\`\`\n\n\`\`\`text\n${printed}\`\`\``;
  });
  writeFileSync(join(root, page), text);
}

/** Whether a program printed what its page says. `…` stands for what differs from run to run; alone on a line, for lines. */
export function isOutput(expected: string, printed: string): boolean {
  const pattern = expected
    .split("\n")
    .map((line) => (line === "…" ? "[^]*" : line.split("…").map(escapeRegExp).join(".*")))
    .join("\n");
  return new RegExp(`^${pattern}$`).test(printed);
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
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
