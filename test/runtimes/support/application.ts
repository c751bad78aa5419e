import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";
import { npmInstall, tarballOf, TOOL_PEERS, ZOD } from "../../support/npm-install.ts";

const programs = fileURLToPath(new URL("../programs/", import.meta.url));

/** A folder with the installed packages, and with the programs of ../programs as JavaScript. */
export interface Application {
  readonly folder: string;
  /** Writes one more program beside them. @returns Its path. */
  add(name: string, source: string): string;
  remove(): void;
}

/** @param node - The Node to run npm on, which determines the versions. */
export async function installApplication(node: string): Promise<Application> {
  const folder = mkdtempSync(join(tmpdir(), "pollux-runtimes-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
    const packed = inject("packed");
    const ours = ["core", "emulator", "tools", "web", "inspector", "evals", "cli"].map((name) =>
      tarballOf(packed, `@pollux/${name}`),
    );
    const programsPath = [dirname(node), process.env["PATH"]].join(delimiter);
    await npmInstall(folder, [...ours, ...TOOL_PEERS, ZOD], { ...process.env, PATH: programsPath });
    mkdirSync(join(folder, "src"));
    for (const file of readdirSync(programs)) {
      const source = stripTypeScriptTypes(readFileSync(join(programs, file), "utf8"));
      writeFileSync(join(folder, "src", asJavaScript(file)), asJavaScript(source));
    }
    const add = (name: string, source: string): string => {
      const path = join(folder, "src", name);
      writeFileSync(path, source);
      return path;
    };
    return { folder, add, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Files and what they import have this ending. */
function asJavaScript(text: string): string {
  return text.replaceAll(/\.ts(?="|$)/gm, ".js");
}
