import { dirname, join } from "node:path/posix";
import { mapText, summaryOf, titleOf, unpadded } from "./markdown.ts";
import { exists, filesIn, manifestOf, packageFolders, readFile } from "./repository.ts";

/** Guides that are about another package than core. */
const GUIDES_OF: Readonly<Record<string, RegExp>> = {
  evals: /^docs\/guides\/evals\.md$/,
  tools: /^docs\/guides\/(?:tools\/.+|mcp|safety)\.md$/,
  web: /^docs\/guides\/(?:web|ai-sdk|ag-ui|react)\.md$/,
};

/** The packages that contain guides. */
export const PACKAGES_WITH_GUIDES: readonly string[] = ["core", ...Object.keys(GUIDES_OF)];

/** The guides that the package of a folder contains, as paths from the root of the repository. */
export function guidesOf(folder: string): readonly string[] {
  return ["docs/concepts.md", ...filesIn("docs/guides")].filter((file) => packageOf(file) === folder);
}

/**
 * The `docs` folder of a package: its guides, for people and coding agents who work offline, and an index of them.
 *
 * @returns Text by file name.
 */
export function packageDocs(folder: string): ReadonlyMap<string, string> {
  const guides = guidesOf(folder);
  return new Map([
    ["README.md", indexOf(folder, guides)],
    ...guides.map((guide) => [nameOf(guide), relinked(guide, folder)] as const),
  ]);
}

/** A guide whose links lead to where an installation has their targets. Links to what is not installed become plain text. */
function relinked(guide: string, folder: string): string {
  return mapText(unpadded(readFile(guide)), (text) =>
    text.replaceAll(
      /(!?)\[((?:\\.|[^\]\\])*)\]\(([^)\s]+)\)/g,
      (link, picture: string, label: string, target: string) => {
        if (/^(?:[a-z]+:|#)/.test(target)) return link;
        if (picture !== "") return `(Picture: ${label}.)`;
        const [path = "", anchor] = target.split("#");
        const installed = installedPath(join(dirname(guide), path).replace(/\/$/, ""), folder);
        if (installed === undefined) return label;
        // The index of a package has other sections than the repository's.
        const hash = anchor === undefined || installed === "README.md" ? "" : `#${anchor}`;
        return `[${label}](${installed}${hash})`;
      },
    ),
  );
}

/** Where an installation has a file of the repository, from the `docs` folder of a package. */
function installedPath(file: string, folder: string): string | undefined {
  if (file === "docs/README.md") return "README.md";
  const [, name] = /^packages\/([\w-]+)(?:\/README\.md)?$/.exec(file) ?? [];
  if (name !== undefined) return name === folder ? "../README.md" : `../../${name}/README.md`;
  const owner = packageOf(file);
  if (owner === undefined || !exists(file)) return undefined;
  return owner === folder ? nameOf(file) : `../../${owner}/docs/${nameOf(file)}`;
}

function indexOf(folder: string, guides: readonly string[]): string {
  const { name, version } = manifestOf(folder);
  const rows = guides.map((guide) => {
    const text = readFile(guide);
    return `- [${titleOf(text)}](${nameOf(guide)}): ${summaryOf(text)}`;
  });
  const others = packageFolders()
    .filter((other) => other !== folder && exists(`packages/${other}/README.md`))
    .map((other) => {
      const page = PACKAGES_WITH_GUIDES.includes(other) ? "docs/README.md" : "README.md";
      return `- [${manifestOf(other).name}](../../${other}/${page}): ${manifestOf(other).description}`;
    });
  return [
    `# Guides of ${name} ${version}`,
    "Every program in these guides has been run with this version; the block after it is what it printed.",
    rows.join("\n"),
    "## Other packages, if they are installed",
    others.join("\n"),
    "",
  ].join("\n\n");
}

function packageOf(file: string): string | undefined {
  const other = Object.entries(GUIDES_OF).find(([, guides]) => guides.test(file));
  if (other !== undefined) return other[0];
  return file === "docs/concepts.md" || /^docs\/guides\/.+\.md$/.test(file) ? "core" : undefined;
}

/** `docs/guides/from/genkit.md` is `from-genkit.md`; the folder of the ready-made tools says what the package says. */
function nameOf(guide: string): string {
  return guide.replace(/^docs\/(?:guides\/(?:tools\/)?)?/, "").replaceAll("/", "-");
}
