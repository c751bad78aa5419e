import { readFileSync } from "node:fs";
import { slugOf } from "../src/markdown.ts";
import type { Navigation } from "../src/site.ts";
import type { NavigationItem } from "../src/sidebar.ts";

const navigation = JSON.parse(
  readFileSync(new URL("../.pages/navigation.json", import.meta.url), "utf8"),
) as Navigation & {
  readonly reference: Readonly<Record<string, readonly NavigationItem[]>>;
};
const guides = [{ text: "Guides by task", link: "/guides/" }, ...navigation.guides];
const contributing = [
  {
    text: "Contributing",
    items: [
      { text: "Contributing", link: "/contributing/" },
      { text: "Working in the repository", link: "/contributing/agents" },
    ],
  },
];
const version =
  navigation.changelogs.length === 0
    ? { text: `v${navigation.version}`, link: "/packages/core" }
    : { text: `v${navigation.version}`, items: navigation.changelogs };

/** Where the files are, without the commit and what is before it: `https://host/owner/name`. */
const repository = navigation.repositoryUrl?.replace(/\/blob\/.*$/, "");
const base = process.env["SITE_BASE"] ?? "/";

export default {
  title: "Pollux",
  description: "Tool-using agents on the Gemini API, in TypeScript",
  lang: "en-US",
  srcDir: ".pages",
  // Served as they are.
  srcExclude: ["public/**"],
  outDir: "dist",
  base,
  // Dates would need the history of each file, and times of a build make builds differ.
  lastUpdated: false,
  head: [["link", { rel: "icon", type: "image/svg+xml", href: `${base}images/logo.svg` }]],
  markdown: {
    anchor: { slugify: slugOf },
    // Both themes have enough contrast for small text.
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
  },
  themeConfig: {
    logo: { src: "/images/logo.svg", alt: "" },
    siteRoot: process.env["SITE_ROOT"] ?? base,
    nav: [
      { text: "Start", link: "/guides/getting-started" },
      { text: "Guides", link: "/guides/", activeMatch: "^/guides/(?!getting-started)" },
      { text: "Concepts", link: "/concepts" },
      { text: "Reference", link: "/reference/", activeMatch: "^/reference/" },
      { text: "Examples", link: "/examples/", activeMatch: "^/examples/" },
      version,
      ...(repository === undefined ? [] : [{ text: "Repository", link: repository }]),
    ],
    sidebar: {
      "/": guides,
      ...navigation.reference,
      "/examples/": navigation.examples,
      "/decisions/": navigation.decisions,
      "/contributing/": contributing,
      "/changelog/": navigation.changelogs,
    },
    outline: [2, 3],
    docFooter: { prev: false, next: false },
    search: {
      provider: "local",
      options: { _render: renderForSearch, miniSearch: { searchOptions: { boostDocument: guidesFirst } } },
    },
  },
};

/** The part of VitePress's Markdown renderer that is used here. */
interface Renderer {
  renderAsync(source: string, env: object): Promise<string>;
}

/** Of the reference, the index has the names and what they are; with all signatures it would be ten times as large. */
async function renderForSearch(
  source: string,
  env: { readonly relativePath: string },
  markdown: Renderer,
): Promise<string> {
  // Colors of code are not searched for.
  if (!env.relativePath.startsWith("reference/"))
    return markdown.renderAsync(source.replaceAll(/^( *```)\w+/gm, "$1"), env);
  if (env.relativePath.endsWith("index.md")) return "";
  const [title = "", ...rest] = source.replaceAll(/^```[^]*?^```$/gm, "").split(/^(?=#)/m);
  const members = rest.filter((part) => /^### (?!Constructor)/.test(part)).map(firstParagraph);
  return markdown.renderAsync([firstParagraph(title), ...members].join("\n\n"), env);
}

function firstParagraph(section: string): string {
  return section.split("\n\n").slice(0, 2).join("\n\n").replaceAll("***", "");
}

/**
 * A guide says how to use what the reference names, and its beginning says more than a section further down. Pages about other libraries
 * have every word of theirs, and are for those who look for the name of the library.
 */
function guidesFirst(id: string, term: string, { titles = [] }: { readonly titles?: readonly string[] } = {}): number {
  const ofBeginning = titles.length === 0 ? 2 : 1;
  // Who types a name may want its page.
  const [, name = ""] = /\/reference\/.*\/(\w+)\.html/.exec(id) ?? [];
  if (name.toLowerCase() === term) return 0.8;
  if (/\/(?:reference|decisions|contributing|changelog)\//.test(id)) return 0.25;
  if (/\/guides\/from|\/(?:ten-tasks|comparison|benchmarks|contract|api-coverage|unverified|map)\./.test(id))
    return 0.15;
  if (/\/(?:examples|packages)\//.test(id)) return 0.5;
  return /\/guides\/(?!index)/.test(id) ? ofBeginning * 1.5 : ofBeginning;
}
