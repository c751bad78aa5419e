import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { titleOf } from "./markdown.ts";
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

/** A page of TypeDoc without what says nothing to a reader, and with defaults and errors in one line each. */
export function tidyReference(page: string): string {
  const tidied = page
    .replaceAll(/^#+ Inherited from\n\n.+\n\n?/gm, "")
    .replaceAll(/^#+ Default Value\n\n```ts\n(.*)\n```$/gm, (_, value: string) => `Default: ${inText(value)}`)
    .replaceAll(/^(#+ Throws)\n\n[^]*?(?=^(?!\1$)(?:#|\*\*\*)|(?![^]))/gm, (sections: string, heading: string) => {
      const errors = sections.split(`${heading}\n\n`).filter((error) => error !== "");
      return `${heading}\n\n${errors.map((error) => `- ${error.trim().replaceAll("\n", "\n  ")}`).join("\n")}\n\n`;
    });
  return `${tidied.trimEnd()}\n`;
}

/** Words as they are, values as code. */
function inText(value: string): string {
  return /^[\w ,;:.'()-]+$/.test(value) && /[a-z] [a-z]|^[a-z]+$/.test(value)
    ? value
    : `\`${value.replaceAll("`", "")}\``;
}

/**
 * The navigation beside the pages of the reference, by the folder they are in.
 *
 * A page has the names of its own kind only: its HTML contains the navigation, and with every name, it would be mostly
 * navigation.
 */
export function referenceSidebars(folder: string): Readonly<Record<string, readonly NavigationItem[]>> {
  const overview = packageFolders().flatMap((each): readonly NavigationItem[] => {
    const items = entryPointsOf(manifestOf(each).name).map((entry) => ({ text: entry, link: linkTo(entry) }));
    return items.length > 1 ? [{ text: manifestOf(each).name, collapsed: each !== "core", items }] : items;
  });
  const kinds = entryPoints().flatMap(({ name }) =>
    kindsIn(folder, folderOf(name)).map(({ kind, ...group }) => [
      `${linkTo(name)}${kind}/`,
      [{ text: "Reference", link: "/reference/" }, { text: name, link: linkTo(name) }, group],
    ]),
  );
  return { "/reference/": [{ text: "Reference", items: overview }], ...Object.fromEntries(kinds) };
}

/** Folders that TypeDoc makes, as headings. */
const KINDS: readonly (readonly [folder: string, heading: string])[] = [
  ["subjects", "By subject"],
  ["classes", "Classes"],
  ["functions", "Functions"],
  ["interfaces", "Interfaces"],
  ["type-aliases", "Types"],
  ["variables", "Constants"],
];

function kindsIn(folder: string, entry: string): readonly (NavigationItem & { readonly kind: string })[] {
  const present = new Set(readdirSync(join(folder, entry)));
  return KINDS.filter(([kind]) => present.has(kind)).map(([kind, heading]) => ({
    kind,
    text: heading,
    items: readdirSync(join(folder, entry, kind))
      .map((file) => file.replace(/\.md$/, ""))
      .toSorted((one, other) => one.localeCompare(other))
      .map((text) => ({
        text: kind === "subjects" ? titleIn(join(folder, entry, kind, `${text}.md`)) : text,
        link: `/reference/${entry}/${kind}/${text}`,
      })),
  }));
}

function titleIn(file: string): string {
  return titleOf(readFileSync(file, "utf8"));
}

function linkTo(entry: string): string {
  return `/reference/${folderOf(entry)}/`;
}

function entryPointsOf(name: string): readonly string[] {
  return entryPoints()
    .map((entry) => entry.name)
    .filter((entry) => entry === name || entry.startsWith(`${name}/`));
}

/** `@pollux/core/wire` is in `core/wire`. */
export function folderOf(entry: string): string {
  return entry.replace(/^@[^/]+\//, "");
}
