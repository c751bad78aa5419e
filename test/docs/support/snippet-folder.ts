import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { createEmulator } from "@pollux/emulator";
import { improvise } from "@pollux/emulator/improvise";
import { programCommand, programFile } from "../../support/programs.ts";
import { ROOT } from "./pages.ts";
import { type Snippet, snippets } from "./snippets.ts";

/** OpenTelemetry's SDK would wait for a missing backend. */
const NO_EXPORT = { OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none" };

/** The snippets as files, with a service and an environment to run them. */
export interface SnippetFolder extends AsyncDisposable {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  file(name: string): string;
}

/** @param folderName - Below `test/`; Git, the linter and the compiler ignore names that start with `.snippets`. */
export async function openSnippets(
  folderName: string,
  programs: readonly Snippet[] = snippets(),
): Promise<SnippetFolder> {
  const folder = join(ROOT, "test", folderName);
  // Otherwise, its note would end the first answer of every page; `getting-started.md` explains it.
  const server = await createEmulator({ brain: improvise({ remark: false }) }).listen();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // A file and skills for the snippets that read some.
  copyFileSync(join(ROOT, "README.md"), join(folder, "README.md"));
  cpSync(join(ROOT, "examples/skills"), join(folder, "skills"), { recursive: true });
  installFilesystemServer(folder);
  installAiSdkReact(folder);
  for (const { name, code } of programs) writeFileSync(join(folder, `${name}.ts`), `${code}export {};\n`);
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: "../../tsconfig.base.json",
      compilerOptions: { noEmit: true, rootDir: "../.." },
      include: ["*.ts"],
      // Against the packages' declarations, which is three times as fast as checking their sources.
      references: references(),
    }),
  );
  const { GOOGLE_API_KEY: _g, GEMINI_API_KEY: _m, ...rest } = process.env;
  // npm puts the commands of installed packages there for its scripts.
  const PATH = [dirname(programCommand("node")), rest["PATH"]].join(delimiter);
  return {
    folder,
    env: { ...rest, PATH, GOOGLE_GEMINI_BASE_URL: server.url, COMETAPI_KEY: "not-used", ...NO_EXPORT },
    file: (name) => join(folder, `${name}.ts`),
    [Symbol.asyncDispose]: async () => {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The compiler options of this repository's programs. */
function references(): readonly object[] {
  const { references: all } = JSON.parse(readFileSync(join(ROOT, "tsconfig.programs.json"), "utf8")) as {
    readonly references: readonly { readonly path: string }[];
  };
  return all.map(({ path }) => ({ path: join(ROOT, path) }));
}

/** The hooks of the `ai` that snippets import. */
function installAiSdkReact(folder: string): void {
  const scope = join(folder, "node_modules/@ai-sdk");
  mkdirSync(scope);
  symlinkSync(join(ROOT, "test/node_modules/@ai-sdk/react-v7"), join(scope, "react"));
}

/** Programs that start this MCP server with `npx` then don't download it. */
function installFilesystemServer(folder: string): void {
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "@modelcontextprotocol"), { recursive: true });
  mkdirSync(join(modules, ".bin"));
  symlinkSync(
    programFile("@modelcontextprotocol/server-filesystem", ""),
    join(modules, "@modelcontextprotocol/server-filesystem"),
  );
  symlinkSync(programCommand("mcp-server-filesystem"), join(modules, ".bin/mcp-server-filesystem"));
}
