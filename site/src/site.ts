import { decisionsPage } from "./generated-pages.ts";
import { landingPage, LOGO } from "./landing-page.ts";
import { examplePages, type GeneratedPage } from "./examples.ts";
import { copyPath, linkPage } from "./links.ts";
import { llmsFull, llmsIndex } from "./llms.ts";
import { summaryOf, titleOf } from "./markdown.ts";
import { linkNames, type ReferenceNames } from "./name-links.ts";
import { EXAMPLE_FOLDERS, sitePages } from "./pages.ts";
import { inlineDrawings } from "./drawings.ts";
import { filesIn, manifestOf, packageFolders, readFile } from "./repository.ts";
import { guideSidebar, linkOf, type NavigationItem } from "./sidebar.ts";
import { VERSIONS_FILE, versionsText } from "./versions.ts";

/** Everything of the site but the reference, as it is handed to VitePress. */
export interface Site {
  readonly pages: readonly GeneratedPage[];
  /** Files served as they are, by address: copies of files of the repository. */
  readonly copies: ReadonlyMap<string, string>;
  /** Files served as they are, by address: generated text. */
  readonly texts: ReadonlyMap<string, string>;
  readonly navigation: Navigation;
}

/** What the theme shows around the pages. */
export interface Navigation {
  readonly version: string;
  readonly repositoryUrl: string | undefined;
  readonly guides: readonly NavigationItem[];
  readonly decisions: readonly NavigationItem[];
  readonly examples: readonly NavigationItem[];
  readonly changelogs: readonly NavigationItem[];
}

/** What a site is made with. */
export interface SiteOptions {
  /** Where the files of this commit can be read. Without it, the site has copies of those it links to. */
  readonly repositoryUrl?: string | undefined;
  /** Pages of the reference, which guides then link to. */
  readonly names?: ReferenceNames | undefined;
}

/** Makes the pages of the site from the files of the repository. */
export function makeSite({ repositoryUrl, names = new Map() }: SiteOptions = {}): Site {
  const sources = sitePages();
  const files = new Set([`docs/${LOGO}`]);
  const fromFiles = sources.map((page) => {
    const linked = linkPage(readFile(page.source), page, sources, repositoryUrl);
    for (const file of linked.files) files.add(file);
    return { route: page.route, text: linked.text };
  });
  const examples = examplePages(repositoryUrl);
  if (repositoryUrl === undefined)
    for (const file of filesIn("examples").filter(
      (each) =>
        /^examples\/[\w-]+\.ts$/.test(each) || EXAMPLE_FOLDERS.some(({ name }) => each.startsWith(`examples/${name}/`)),
    ))
      files.add(file);
  const plainPages = [...fromFiles, ...examples, decisionsPage(sources)];
  const guides = guideSidebar(sources);
  const llms = {
    title: "Pollux",
    summary: summaryOf(readFile("README.md")),
    version: manifestOf("core").version,
    sidebar: guides,
    pages: plainPages,
  };
  return {
    pages: plainPages.map(({ route, text }) => {
      if (route === "index.md") return { route, text: landingPage(text) };
      return { route, text: inlineDrawings(linkNames(text, route, names)) };
    }),
    copies: new Map([...files].map((file) => [copyPath(file), file])),
    texts: new Map([
      ["llms.txt", llmsIndex(llms)],
      ["llms-full.txt", llmsFull(llms)],
      [VERSIONS_FILE, versionsText(llms.version, [])],
      ...plainPages.map(({ route, text }) => [route, text] as const),
    ]),
    navigation: {
      version: manifestOf("core").version,
      repositoryUrl,
      guides,
      decisions: listOf(plainPages, "decisions/"),
      examples: listOf(examples, "examples/"),
      changelogs: packageFolders().flatMap((name) =>
        plainPages.some(({ route }) => route === `changelog/${name}.md`)
          ? [{ text: manifestOf(name).name, link: `/changelog/${name}` }]
          : [],
      ),
    },
  };
}

/** The pages below an address, by their titles. */
function listOf(pages: readonly GeneratedPage[], folder: string): readonly NavigationItem[] {
  return pages
    .filter(({ route }) => route.startsWith(folder))
    .toSorted((one, other) => orderOf(one.route) - orderOf(other.route))
    .map(({ route, text }) => ({
      text: titleOf(text),
      link: linkOf(route),
    }));
}

/** An index comes first; the others stay as they are. */
function orderOf(route: string): number {
  return route.endsWith("/index.md") ? 0 : 1;
}
