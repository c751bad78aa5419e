import type { GeneratedPage } from "./examples.ts";
import { summaryOf, unpadded } from "./markdown.ts";
import type { NavigationItem } from "./sidebar.ts";

/** What `llms.txt` and `llms-full.txt` are made of. */
export interface LlmsInput {
  readonly title: string;
  readonly summary: string;
  readonly version: string;
  /** The guides by section, with links such as `/guides/options`. */
  readonly sidebar: readonly NavigationItem[];
  readonly pages: readonly GeneratedPage[];
}

/** An index of the pages for language models: a link to the Markdown of each, and what it is about. */
export function llmsIndex({ title, summary, version, sidebar, pages }: LlmsInput): string {
  const sections = sidebar.map(({ text, items = [] }) => {
    const lines = items.flatMap(({ text: name, link }) => {
      const page = pageAt(link, pages);
      return page === undefined ? [] : [`- [${name}](${page.route}): ${summaryOf(page.text)}`];
    });
    return `## ${text}\n\n${lines.join("\n")}`;
  });
  return [
    `# ${title}`,
    `> ${summary}`,
    `Version ${version}. Every program in these pages runs in a test. All pages in one file: [llms-full.txt](llms-full.txt).`,
    ...sections,
    `## Optional\n\n- [Reference](reference/index.md): every exported name, generated from the sources.`,
    "",
  ].join("\n\n");
}

/** The pages of the index, one after the other. */
export function llmsFull(input: LlmsInput): string {
  const links = input.sidebar.flatMap(({ items = [] }) => items.map(({ link }) => link));
  const texts = [...new Set(links)].flatMap((link) => {
    const page = pageAt(link, input.pages);
    // Lists of other pages say nothing by themselves.
    return page === undefined || page.route.endsWith("index.md")
      ? []
      : [`<!-- ${page.route} -->\n\n${unpadded(page.text).trim()}`];
  });
  return `# ${input.title} ${input.version}\n\n> ${input.summary}\n\n${texts.join("\n\n---\n\n")}\n`;
}

function pageAt(link: string | undefined, pages: readonly GeneratedPage[]): GeneratedPage | undefined {
  const path = link?.slice(1);
  return pages.find(({ route }) => route === `${path}.md` || route === `${path}index.md`);
}
