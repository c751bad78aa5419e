import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Block, writeBlocks } from "../pages.ts";
import { table } from "../report.ts";
import { CASES } from "./all-cases.ts";
import type { Verdict } from "./case.ts";
import type { Cell, Column } from "./run-library.ts";

/** All outcomes of one execution, as `results.json` has them. */
export interface Results {
  /** Date and machine. */
  readonly made: string;
  readonly libraries: readonly { readonly name: string; readonly title: string; readonly column: Column }[];
}

const MARKS: Readonly<Record<Verdict["met"], string>> = { yes: "✓", partly: "~", no: "✗", untested: "–" };
/** Rows of the README, with a label that reads without the others. */
const SHORT: readonly (readonly [string, string])[] = [
  ["empty", "an empty answer is not a success"],
  ["cut-once", "a stream that breaks off is asked for again"],
  ["retry-info", "waits as long as the service asks (`RetryInfo`)"],
  ["search-2", "search beside functions, Gemini 2.5"],
  ["unknown-parts", "a new kind of part goes back as it came"],
  ["citations", "citations are ranges of the answer's text"],
  ["search-cost", "the cost contains search queries"],
  ["approve", "a refund that support approves can't be approved by the customer"],
  ["deploy", "after a crash and a deploy, a refund is known and not made again"],
  ["outside", "a mail waits for a person once a web page was read, and not before"],
];

/** Writes the data, and the tables of the comparison and of the README. */
export function writePages(results: Results): void {
  writeFileSync(join(import.meta.dirname, "results.json"), `${JSON.stringify(results, undefined, 2)}\n`);
  writeBlocks(behaviorBlocksOf(results));
}

/** The tables of the comparison and of the README. */
export function behaviorBlocksOf(results: Results): readonly Block[] {
  const block = { name: "behavior", command: "pnpm compare --docs" };
  return [
    { ...block, page: "docs/comparison.md", text: tableOf(results) },
    { ...block, page: "README.md", text: shortTableOf(results) },
  ];
}

/** The whole table as Markdown, with its notes. */
export function tableOf({ made, libraries }: Results): string {
  const notes: string[] = [];
  const cellOf = (cell: Cell | undefined): string => {
    if (cell === undefined) return "";
    const { tuned } = cell;
    if (tuned === undefined) return textOf(cell);
    const note = `With ${tuned.setting}: ${textOf(tuned)}.`;
    if (!notes.includes(note)) notes.push(note);
    return `${textOf(cell)} [${notes.indexOf(note) + 1}]`;
  };
  const lines = CASES.flatMap(({ rows }) => rows).map(({ id, label }) => [
    label,
    ...libraries.map(({ column }) => cellOf(column[id])),
  ]);
  const numbered = notes.map((note, index) => `${index + 1}. ${note}`);
  const head = ["what happens", ...libraries.map(({ title }) => title)];
  return [table(head, lines), ...(numbered.length > 0 ? [numbered.join("\n")] : []), `Made on ${made}.`].join("\n\n");
}

/** For the README: how many of the others do it, counting the ones that need a setting. */
function shortTableOf({ libraries }: Results): string {
  const [pollux, ...others] = libraries;
  const isMet = (cell: Cell | undefined): boolean => cell?.met === "yes" || cell?.tuned?.met === "yes";
  const lines = SHORT.map(([id, label]) => [
    label,
    isMet(pollux?.column[id]) ? "yes" : "no",
    String(others.filter(({ column }) => isMet(column[id])).length),
  ]);
  return table(["behavior, against a scripted API", "Pollux", `of ${others.length} others`], lines);
}

function textOf({ met, says }: Verdict): string {
  return `${MARKS[met]} ${says}`;
}
