import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { linkNames, type ReferenceNames } from "./name-links.ts";
import { folderOf, referenceIndex, referenceSidebars, tidyReference } from "./reference.ts";
import { entryPoints, readFile, ROOT } from "./repository.ts";
import { makeSite } from "./site.ts";
import { bySubject, subjectIndex, subjectPage } from "./subjects.ts";

/** The folder that VitePress reads. */
export const PAGES: string = fileURLToPath(new URL("../.pages/", import.meta.url));

const REFERENCE = join(PAGES, "reference");

/** Writes the reference from the sources of the packages: a page for each exported name. */
export function writeReference(): void {
  rmSync(REFERENCE, { recursive: true, force: true });
  const program = fileURLToPath(new URL("../typedoc/write-reference.mjs", import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [program, REFERENCE, JSON.stringify(entryPoints())], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`TypeDoc failed:\n${stderr}`);
  const names = readNames();
  for (const file of readdirSync(REFERENCE, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".md")) continue;
    const path = join(REFERENCE, file);
    const route = `reference/${file.replaceAll("\\", "/")}`;
    writeFileSync(path, linkNames(tidyReference(readFileSync(path, "utf8")), route, names));
  }
  for (const { name, source } of entryPoints()) writeSubjects(name, readFile(source));
  writeFileSync(join(REFERENCE, "index.md"), referenceIndex());
}

/** Divides the page of an entry point with many names. */
function writeSubjects(entry: string, source: string): void {
  const folder = join(REFERENCE, folderOf(entry));
  const index = join(folder, "index.md");
  const pages = bySubject(entry, readFileSync(index, "utf8"), source);
  if (pages.length === 0) return;
  mkdirSync(join(folder, "subjects"));
  for (const page of pages) writeFileSync(join(folder, "subjects", `${page.file}.md`), subjectPage(entry, page));
  writeFileSync(index, subjectIndex(entry, pages));
}

/** Writes everything else, from the files of the repository. The reference has been written before. */
export function writePages(repositoryUrl: string | undefined): void {
  const { pages, copies, texts, navigation } = makeSite({ repositoryUrl, names: readNames() });
  for (const { route, text } of pages) write(route, text);
  for (const [path, file] of copies) {
    const to = join(PAGES, "public", path);
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(join(ROOT, file), to);
  }
  for (const [path, text] of texts) write(`public/${path}`, text);
  write("navigation.json", JSON.stringify({ ...navigation, reference: referenceSidebars(REFERENCE) }));
}

/** Writes a file unless it is already there, so that a running server only sees what has changed. */
function write(path: string, text: string): void {
  const file = join(PAGES, path);
  if (existsSync(file) && readFileSync(file, "utf8") === text) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function readNames(): ReferenceNames {
  const names = JSON.parse(readFileSync(join(REFERENCE, "names.json"), "utf8")) as Readonly<Record<string, string>>;
  return new Map(Object.entries(names).map(([name, page]) => [name, `reference/${page}`]));
}
