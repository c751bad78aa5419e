import { readdirSync } from "node:fs";
import { join } from "node:path";
import { entryPoints, manifestOf, packageFolders } from "./repository.ts";
import type { NavigationItem } from "./sidebar.ts";

/** The first page of the reference: what can be imported, by package. */
export function referenceIndex(): string {
  const packages = packageFolders().flatMap((folder) => {
    const { name, description } = manifestOf(folder);
    const links = entryPointsOf(name).map((entry) => `- [${entry}](./${folderOf(entry)}/index.md)`);
    return links.length === 0 ? [] : [`## ${name}\n\n${description}\n\n${links.join("\n")}`];
  });
  return `# Reference\n\nEvery exported name, from the comments in the sources.\n\n${packages.join("\n\n")}\n`;
}

/** The navigation beside the reference: packages, what one imports from, and the names there by kind. */
export function referenceSidebar(folder: string): readonly NavigationItem[] {
  return packageFolders().flatMap((each) => {
    const { name } = manifestOf(each);
    const entries = entryPointsOf(name);
    if (entries.length === 0) return [];
    const items = entries.map((entry) => ({
      text: entry,
      link: `/reference/${folderOf(entry)}/`,
      collapsed: true,
      items: kindsIn(folder, folderOf(entry)),
    }));
    return [{ text: name, collapsed: each !== "core", items }];
  });
}

/** Folders that TypeDoc makes, as headings. */
const KINDS: readonly (readonly [folder: string, heading: string])[] = [
  ["classes", "Classes"],
  ["functions", "Functions"],
  ["interfaces", "Interfaces"],
  ["type-aliases", "Types"],
  ["variables", "Constants"],
];

function kindsIn(folder: string, entry: string): readonly NavigationItem[] {
  const present = new Set(readdirSync(join(folder, entry)));
  return KINDS.filter(([kind]) => present.has(kind)).map(([kind, heading]) => ({
    text: heading,
    collapsed: true,
    items: readdirSync(join(folder, entry, kind))
      .map((file) => file.replace(/\.md$/, ""))
      .toSorted((one, other) => one.localeCompare(other))
      .map((text) => ({ text, link: `/reference/${entry}/${kind}/${text}` })),
  }));
}

function entryPointsOf(name: string): readonly string[] {
  return entryPoints()
    .map((entry) => entry.name)
    .filter((entry) => entry === name || entry.startsWith(`${name}/`));
}

/** `@pollux/core/wire` is in `core/wire`. */
function folderOf(entry: string): string {
  return entry.replace(/^@[^/]+\//, "");
}
