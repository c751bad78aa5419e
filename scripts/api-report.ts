/**
 * `pnpm api:report`: writes what each package exports, with full types, to the `.api.md` files of its folder `etc`. A test compares them
 * with the sources, so a change of the public surface is a change of these files, for reviewers to see.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { apiReports, type EntryPoint } from "./api/report.ts";

const packages = fileURLToPath(new URL("../packages", import.meta.url));

/** A report, and the file it belongs in. */
interface ApiReport {
  /** Absolute path. */
  readonly file: string;
  readonly text: string;
}

interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string | { readonly "pollux-source": string }>>;
}

/** The reports of all packages that export something, from their sources. */
export async function allApiReports(): Promise<readonly ApiReport[]> {
  const reports = await Promise.all(readdirSync(packages).map((name) => reportsOf(join(packages, name))));
  return reports.flat();
}

/** The reports on disk, as absolute paths. */
export function apiReportFiles(): readonly string[] {
  const folders = readdirSync(packages).map((name) => join(packages, name, "etc"));
  return folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
    .filter((path) => path.endsWith(".api.md"));
}

async function reportsOf(folder: string): Promise<readonly ApiReport[]> {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const entries: EntryPoint[] = [];
  const files: string[] = [];
  for (const [path, target] of Object.entries(manifest.exports ?? {})) {
    if (typeof target === "string") continue;
    entries.push({ specifier: manifest.name + path.slice(1), file: join(folder, target["pollux-source"]) });
    files.push(join(folder, "etc", `${path === "." ? basename(folder) : path.slice(2)}.api.md`));
  }
  const texts = await apiReports(entries);
  return files.map((file, index) => ({ file, text: texts[index] ?? "" }));
}

if (import.meta.main) {
  for (const file of apiReportFiles()) rmSync(file);
  for (const { file, text } of await allApiReports()) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
