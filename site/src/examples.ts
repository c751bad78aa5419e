import { extname } from "node:path/posix";
import { copyPath } from "./links.ts";
import { EXAMPLE_FOLDERS } from "./pages.ts";
import { filesIn, readFile } from "./repository.ts";

/** A generated page. */
export interface GeneratedPage {
  readonly route: string;
  readonly text: string;
}

const PROPER_NAMES: Readonly<Record<string, string>> = { mcp: "MCP", cometapi: "CometAPI" };

/** A page for each example with its source and how to run it; their index is `examples/README.md`. */
export function examplePages(repositoryUrl: string | undefined): readonly GeneratedPage[] {
  const programs = filesIn("examples").filter((file) => /^examples\/[\w-]+\.ts$/.test(file));
  const single = programs.map((file) => ({ route: file.replace(/ts$/, "md"), text: programPage(file, repositoryUrl) }));
  const folders = EXAMPLE_FOLDERS.map(({ name, route, title }) => {
    const parts = filesIn(`examples/${name}`).map((file) => sourceBlock(file, "##", repositoryUrl));
    return { route, text: `# ${title}\n\n${parts.join("\n\n")}\n` };
  });
  return [...single, ...folders];
}

function programPage(file: string, repositoryUrl: string | undefined): string {
  const command = `npx ${packageManager()} exec node --conditions=pollux-source ${file}`;
  const [, ...rest] = sourceBlock(file, "##", repositoryUrl).split("\n\n");
  return [
    `# ${titleOf(file)}`,
    purposeOf(file),
    `Run it in a clone of the repository:`,
    `\`\`\`sh\n${command}\n\`\`\``,
    ...rest,
  ].join("\n\n");
}

/** A heading, the link to the file, and its source. */
function sourceBlock(file: string, heading: string, repositoryUrl: string | undefined): string {
  const link = repositoryUrl === undefined ? `/${copyPath(file)}` : `${repositoryUrl}/${file}`;
  const name = file.split("/").at(-1) ?? file;
  return `${heading} ${name}\n\nSource: [\`${file}\`](${link})\n\n\`\`\`${extname(name).slice(1)}\n${readFile(file).trimEnd()}\n\`\`\``;
}

/** The comment that the file begins with. */
function purposeOf(file: string): string {
  const [comment = ""] = /^(?:\/\/ .+\n)+/.exec(readFile(file)) ?? [];
  const text = comment
    .replaceAll(/^\/\/ /gm, "")
    .replaceAll("\n", " ")
    .trim();
  return text.replaceAll("|", "\\|");
}

/** `12-search-and-functions` is called "Search and functions". */
function titleOf(file: string): string {
  const words = nameOf(file).replace(/^\d+-/, "").replaceAll("-", " ");
  return PROPER_NAMES[words] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

function nameOf(file: string): string {
  return file.slice("examples/".length, -".ts".length);
}

function packageManager(): string {
  return (JSON.parse(readFile("package.json")) as { readonly packageManager: string }).packageManager;
}
