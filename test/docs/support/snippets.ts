import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readPage, ROOT, userPages } from "./pages.ts";

/** A `ts` block of a page, as a program. */
export interface Snippet {
  readonly name: string;
  /** Path of its page, from the root. */
  readonly page: string;
  readonly code: string;
  /** The output on the page: the `text` block right after it, if any. */
  readonly output: string | undefined;
}

/** A program with its output. */
const PROGRAM = /^```ts\n([\s\S]*?)^```$(?:\n\n```text\n([\s\S]*?)^```$)?/gm;

/** Every program of the pages a user reads. */
export function snippets(): readonly Snippet[] {
  return userPages().flatMap((page) =>
    [...readPage(page).matchAll(PROGRAM)].map(([, code = "", output], index) => ({
      name: `${page.replaceAll(/[^\w]+/g, "-")}-${index + 1}`,
      page,
      code,
      output,
    })),
  );
}

/** Puts the programs' outputs into their `text` blocks, if they have one. */
export function writeOutputs(page: string, outputs: ReadonlyMap<string, string>): void {
  const found = snippets().filter((snippet) => snippet.page === page);
  let index = 0;
  const text = readPage(page).replaceAll(PROGRAM, (block, code: string, output: string | undefined) => {
    const printed = outputs.get(found[index++]?.name ?? "");
    if (output === undefined || printed === undefined || isOutput(output, printed)) return block;
    return `\`\`\`ts\n${code}\`\`\`\n\n\`\`\`text\n${printed}\`\`\``;
  });
  writeFileSync(join(ROOT, page), text);
}

/** Whether a program's output matches its page. `…` stands for text that varies; alone on a line, for any lines. */
export function isOutput(expected: string, printed: string): boolean {
  const pattern = expected
    .split("\n")
    .map((line) => (line === "…" ? "[^]*" : line.split("…").map(escapeRegExp).join(".*")))
    .join("\n");
  return new RegExp(`^${pattern}$`).test(printed);
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

/** Whether a snippet starts a third-party program, which only system tests install. */
export function needsPrograms(code: string): boolean {
  return /command: "(?:npx"|mcp-server-|playwright-mcp)/.test(code);
}
