import { exists, filesIn, packageFolders } from "./repository.ts";

/** A Markdown file of the repository, and where the site shows it. */
export interface SitePage {
  /** Path from the root of the repository. */
  readonly source: string;
  /** Path of the page on the site, ending with `.md`. */
  readonly route: string;
}

/** Folders of examples whose files make one page. */
export const EXAMPLE_FOLDERS: readonly { readonly name: string; readonly route: string; readonly title: string }[] = [
  { name: "quickstart", route: "examples/quickstart-parts.md", title: "The parts of the quickstart" },
  { name: "engines", route: "examples/engines.md", title: "Workers on engines" },
  { name: "opentelemetry", route: "examples/opentelemetry.md", title: "A receiver of traces" },
  { name: "skills", route: "examples/skills-folder.md", title: "The skills of the skills example" },
  { name: "tool-search", route: "examples/tool-search.md", title: "An API with 500 operations" },
  { name: "support-bot", route: "examples/support-bot.md", title: "A support bot with a page for operators" },
];

/** Every page of the site that is a file of the repository. Examples, decisions and the reference have generated pages as well. */
export function sitePages(): readonly SitePage[] {
  const packages = packageFolders();
  const listed = [
    ["README.md", "index.md"],
    ["docs/README.md", "guides/index.md"],
    ["AGENTS.md", "contributing/agents.md"],
    ["CONTRIBUTING.md", "contributing/index.md"],
    ["SECURITY.md", "contributing/security.md"],
    ["examples/README.md", "examples/index.md"],
    ["examples/web-chat/README.md", "examples/web-chat.md"],
    ["examples/research-chat/README.md", "examples/research-chat.md"],
    ...packages.map((name) => [`packages/${name}/README.md`, `packages/${name}.md`] as const),
    ...packages.map((name) => [`packages/${name}/CHANGELOG.md`, `changelog/${name}.md`] as const),
  ] as const;
  const pages = listed.filter(([source]) => exists(source)).map(([source, route]) => ({ source, route }));
  const docs = filesIn("docs")
    .filter((file) => file.endsWith(".md") && file !== "docs/README.md" && file !== "docs/decisions/README.md")
    .map((source) => ({ source, route: source.slice("docs/".length) }));
  return [...pages, ...docs];
}

/** Where the site shows a file or folder that a page links to; undefined if no page shows it. */
export function routeOf(target: string, pages: readonly SitePage[]): string | undefined {
  const page = pages.find(({ source }) => source === target || source === `${target}/README.md`);
  if (page !== undefined) return page.route;
  if (target === "docs/decisions") return "decisions/index.md";
  if (/^examples\/[\w-]+\.ts$/.test(target)) return target.replace(/\.ts$/, ".md");
  return EXAMPLE_FOLDERS.find(({ name }) => target === `examples/${name}` || target.startsWith(`examples/${name}/`))
    ?.route;
}
