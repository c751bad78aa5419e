import { plain, sectionOf, summaryOf, titleOf } from "./markdown.ts";
import type { GeneratedPage } from "./examples.ts";
import type { SitePage } from "./pages.ts";
import { readFile } from "./repository.ts";

/** The list of decisions. */
export function decisionsPage(pages: readonly SitePage[]): GeneratedPage {
  const decisions = pages.filter(({ route }) => route.startsWith("decisions/"));
  const rows = decisions.map(({ source, route }) => {
    const text = readFile(source);
    return `| [${titleOf(text).replaceAll("|", "\\|")}](./${route.slice("decisions/".length)}) |`;
  });
  const intro = "One page per decision that someone could undo by accident: what was chosen, why, and what it costs.";
  return {
    route: "decisions/index.md",
    text: `# Decisions\n\n${intro}\n\n| decision |\n| -------- |\n${rows.join("\n")}\n`,
  };
}

/**
 * The first page, made of the sections of the README: what it is, a program beside its output, then the rest.
 *
 * @param readme - With links that lead to pages of the site.
 */
export function landingPage(readme: string): string {
  const [head = ""] = readme.split(/^## /m);
  const install = /^```sh\n[^]*?^```$/m.exec(head)?.[0];
  const [terminal, chat] = [...head.matchAll(/^!\[[^\]]*\]\([^)]*\)$/gm)].map(([picture]) => picture);
  const [code, output, ...rest] = sectionOf(readme, "An agent").split(/(?<=^```$)\n\n/m);
  if (install === undefined || terminal === undefined || code === undefined || output === undefined)
    throw new Error(
      "README.md no longer has what the first page is made of: two pictures, commands, a program and its output",
    );
  return [
    "---",
    "title: Pollux",
    "titleTemplate: Tool-using agents on the Gemini API",
    "layout: page",
    "sidebar: false",
    `description: ${JSON.stringify(summaryOf(readme))}`,
    "---",
    "",
    '<div class="vp-doc landing-text">',
    "",
    `# ${titleOf(readme)}`,
    "",
    `<p class="tagline">${plain(summaryOf(readme))}</p>`,
    "",
    '<div class="actions">',
    "",
    "[Get started](./guides/getting-started.md) [Guides](./guides/index.md) [Concepts](./concepts.md) [Reference](./reference/index.md)",
    "",
    "</div>",
    "",
    '<div class="program">',
    "",
    code,
    "",
    output,
    "",
    "</div>",
    "",
    ...rest,
    "",
    install,
    "",
    terminal,
    "",
    ...sectionsToShow(readme),
    ...(chat === undefined ? [] : [chat, ""]),
    "</div>",
    "",
  ].join("\n");
}

function sectionsToShow(readme: string): readonly string[] {
  return ["Why", "Compared with others"].flatMap((heading) => [`## ${heading}`, "", sectionOf(readme, heading), ""]);
}
