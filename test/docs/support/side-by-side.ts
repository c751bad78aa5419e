import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readPage, ROOT } from "./pages.ts";

/** One task, done with Pollux and with another library. */
export interface Pair {
  readonly heading: string;
  readonly ours: string;
  readonly theirs: string;
  /** The output of both. */
  readonly output: string;
}

/** Ten everyday tasks, each with the library that needs the least code for it. */
export const TEN_TASKS = "docs/ten-tasks.md";

const PAIR = /^```ts\n([^]*?)^```\n\n```text\n([^]*?)^```\n\n```js\n([^]*?)^```$/gm;

/** The pages for users of other libraries. */
export function pagesOfOthers(): readonly string[] {
  return readdirSync(join(ROOT, "docs/guides/from"))
    .toSorted()
    .map((file) => `docs/guides/from/${file}`);
}

/** The pairs of a page, in order. */
export function pairsOf(page: string): readonly Pair[] {
  const text = readPage(page);
  return [...text.matchAll(PAIR)].map((match) => {
    const [, ours = "", output = "", theirs = ""] = match;
    const [, heading = "One question"] = /^[^]*^## (.+)$/m.exec(text.slice(0, match.index)) ?? [];
    return { heading, ours, output, theirs };
  });
}
