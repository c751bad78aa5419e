import { expect, test } from "vitest";
import { readPage } from "./support/pages.ts";
import { type Pair, pagesOfOthers, pairsOf, TEN_TASKS } from "./support/side-by-side.ts";

// `from-other-libraries.system.test.ts` checks the outputs of both programs of a pair.
const pairs = pairsOf(TEN_TASKS);

/** Imported names and non-empty lines. */
function sizeOf(program: string): { readonly imports: number; readonly lines: number } {
  const imported = [...program.matchAll(/^import ([^;]+) from/gm)].flatMap(([, names = ""]) => names.split(/[{},]/));
  return {
    imports: imported.filter((name) => name.trim() !== "").length,
    lines: program.split("\n").filter((line) => line.trim() !== "").length,
  };
}

test("there are ten tasks, and the table says how long both programs of each are", () => {
  expect(pairs).toHaveLength(10);
  const rows = [...readPage(TEN_TASKS).matchAll(/^\| \[([^\]]+)\]\(#[\w-]+\) +\|.+?\| +(.+?) +\| +(.+?) +\|$/gm)];
  expect(rows.map(([, ...cells]) => cells)).toEqual(
    pairs.map(({ heading, ours, theirs }) => {
      const [own, other] = [sizeOf(ours), sizeOf(theirs)];
      return [heading, `${own.imports}, other ${other.imports}`, `${own.lines}, other ${other.lines}`];
    }),
  );
});

test("Pollux takes no more imports and lines than the other, or the task says why", () => {
  const longer = pairs.filter(({ ours, theirs }) => {
    const [own, other] = [sizeOf(ours), sizeOf(theirs)];
    return own.imports > other.imports || own.lines > other.lines;
  });
  const page = readPage(TEN_TASKS);
  const unsaid = longer.filter(({ heading }) => !page.split(`## ${heading}\n`)[1]?.includes("Pollux takes more"));
  expect(unsaid.map(({ heading }) => heading)).toEqual([]);
});

test("no program of the pages for people who come from elsewhere is shorter than the best other", () => {
  const all = pagesOfOthers().flatMap((page) => pairsOf(page));
  const best = ({ heading }: Pair): number =>
    Math.min(...all.filter((one) => one.heading === heading).map(({ theirs }) => sizeOf(theirs).lines));
  const beaten = pairs.filter((pair) => best(pair) < sizeOf(pair.theirs).lines);
  expect(beaten.map(({ heading }) => heading)).toEqual([]);
});
