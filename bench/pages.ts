import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { titleOf } from "./peers.ts";
import { reportOf, short, table } from "./report.ts";
import type { Figure, Measured, Row } from "./row.ts";

/** All figures of one run of `pnpm bench --peers --docs`, as `results.json` has them: the only source of those in the pages. */
export interface Results extends Measured {
  /** Date, processor and versions. */
  readonly machine: string;
  readonly rounds: number;
}

/** A part of a page that a program writes. */
export interface Block {
  /** Path from the root. */
  readonly page: string;
  /** In the markers around it, with the command that writes it. */
  readonly name: string;
  readonly command: string;
  readonly text: string;
}

const ROOT = join(import.meta.dirname, "..");
/** Columns of the tables of CPU: a row of the results, and its head. */
const CPU: readonly Column[] = [
  ["loop", "10 turns"],
  ["history-200", "200 turns"],
  ["stream", "a streamed chunk"],
  ["many-500", "500 runs at once"],
  ["chunk", "one chunk of 20 MB"],
];
const SIZES: readonly Column[] = [
  ["bundle", "hello agent, minified, beyond zod"],
  ["bundle-gzip", "with all parts, gzipped"],
  ["install-packages", "packages with zod"],
  ["install-MB", "their size"],
  ["start", "import beyond zod"],
  ["first", "a process to its first answer"],
];

type Column = readonly [id: string, head: string];

/** The results, read from a file. */
export function readResults(file: string = join(import.meta.dirname, "results.json")): Results {
  // Only `pnpm bench --peers --docs` writes it.
  return JSON.parse(readFileSync(file, "utf8")) as Results;
}

/** All tables of the results, for the pages that have them. */
export function blocksOf(results: Results): readonly Block[] {
  const command = "pnpm bench --peers --docs";
  const rows = new Map(results.rows.map((row) => [row.id, row]));
  const own = {
    rows: results.rows
      .filter((row) => row.table === undefined)
      .map((row) => ({ ...row, figures: row.figures.filter(({ driver }) => !isPeer(driver)) })),
    absences: results.absences,
  };
  const conditions = conditionsOf(results);
  const compared = [
    table(["library", ...heads(CPU)], linesOf(rows, CPU)),
    `${conditions} A cell has the lowest and the highest of the rounds.`,
  ].join("\n\n");
  const having = (prefix: string): readonly Row[] => results.rows.filter(({ id }) => id.startsWith(prefix));
  return [
    ...[
      { page: "docs/guides/engines.md", text: placesTable("", having("engines-")) },
      { page: "docs/guides/web.md", text: placesTable("store", having("web-")) },
      { page: "docs/guides/inspector.md", text: spreadTable(having("inspector-")) },
      { page: "docs/guides/many-at-once.md", text: idleTable(having("idle-")) },
    ].map(({ page, text }) => ({ page, name: "figures", command, text: `${text}\n\n${results.machine}.` })),
    { page: "docs/benchmarks.md", name: "figures", command, text: `${conditions}\n\n${reportOf(own).trim()}` },
    { page: "docs/comparison.md", name: "CPU", command, text: compared },
    {
      page: "docs/comparison.md",
      name: "sizes",
      command,
      text: table(["library", ...heads(SIZES)], linesOf(rows, SIZES, ["raw", "pollux"])),
    },
    {
      page: "README.md",
      name: "costs",
      command,
      text: table(
        ["library", "10-turn run", "200-turn run", "streamed chunk", "minified, beyond zod", "packages, size"],
        linesOf(rows, [...CPU.slice(0, 3), ...SIZES.slice(0, 1), ...SIZES.slice(2, 4)], ["pollux", "pollux-fetch"]).map(
          ([name = "", loop = "", long = "", chunk = "", bundle = "", packages = "", size = ""]) => [
            name,
            loop,
            long,
            chunk,
            bundle,
            packages === "" ? "" : `${packages}, ${size}`,
          ],
        ),
      ),
    },
  ];
}

/** In one sentence. */
export function conditionsOf({ machine, rounds }: Pick<Results, "machine" | "rounds">): string {
  return `${machine}; ${rounds} rounds.`;
}

/** A line for each store or engine, with the rows as columns. */
function placesTable(head: string, rows: readonly Row[]): string {
  const places = [...new Set(rows.flatMap(({ figures }) => figures.map(({ driver }) => driver)))];
  const columns = rows.map(({ label, unit }) => (unit === "" ? label : `${label}, ${unit}`));
  const valueIn = ({ figures }: Row, place: string): string => {
    const found = figures.find(({ driver }) => driver === place);
    return found === undefined ? "" : short(found.value);
  };
  return table(
    [head, ...columns],
    places.map((place) => [place, ...rows.map((row) => valueIn(row, place))]),
  );
}

/** The best, the median and the worst of the samples. */
function spreadTable(rows: readonly Row[]): string {
  return table(
    ["what", "best", "median", "worst"],
    rows.flatMap(({ label, unit, figures }) =>
      figures.map(({ value, range: [least, most] }) => {
        const text = (one: number): string => `${short(one)} ${unit}`;
        return least === most ? [label, "", text(value), ""] : [label, text(least), text(value), text(most)];
      }),
    ),
  );
}

function idleTable(rows: readonly Row[]): string {
  const pollux = rows.map(({ label, unit, figures }) => {
    const found = figures.find(({ driver }) => driver === "pollux");
    return [label, found === undefined ? "" : `${short(found.value)} ${unit}`];
  });
  return table(["heap of", ""], pollux);
}

function heads(columns: readonly Column[]): readonly string[] {
  return columns.map(([, head]) => head);
}

/** A line for each driver: ours in their order, then the others by the CPU of their first column. */
function linesOf(
  rows: ReadonlyMap<string, Row>,
  columns: readonly Column[],
  ours: readonly string[] = ["raw", "raw-http", "pollux", "pollux-fetch"],
): readonly (readonly string[])[] {
  const figureIn = (id: string, driver: string): Figure | undefined =>
    rows.get(id)?.figures.find((figure) => figure.driver === driver);
  const loop = rows.get("loop")?.figures.toSorted((one, other) => one.figure - other.figure) ?? [];
  return [...ours, ...loop.map(({ driver }) => driver).filter(isPeer)].map((driver) => [
    titleOf(driver),
    ...columns.map(([id]) => {
      const row = rows.get(id);
      const figure = figureIn(id, driver);
      return row === undefined || figure === undefined ? "" : rangeOf(row, figure);
    }),
  ]);
}

/** The rounds of a figure, without the relation that the head of its column says. */
export function rangeOf({ relation, unit, baseline }: Row, { driver, range: [least, most] }: Figure): string {
  if (relation === "times" && driver === baseline) return "1";
  const [low, high] = [short(least), short(most)];
  const suffix = relation === "times" || unit === "" ? "" : ` ${unit}`;
  return low === high ? `${low}${suffix}` : `${low} to ${high}${suffix}`;
}

function isPeer(driver: string): boolean {
  return !/^(?:raw|pollux|zod)/.test(driver);
}

/** Writes each block between its markers. */
export function writeBlocks(blocks: readonly Block[]): void {
  for (const block of blocks) {
    const file = join(ROOT, block.page);
    writeFileSync(file, withBlock(readFileSync(file, "utf8"), block));
  }
}

/**
 * Replaces the text between a page's markers with a block.
 *
 * @throws {Error} If the page has lost them.
 */
export function withBlock(page: string, { page: path, name, command, text }: Block): string {
  const begin = `<!-- ${name}: written by \`${command}\` -->`;
  const end = `<!-- end of ${name} -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${path} needs the lines "${begin}" and "${end}".`);
  return `${page.slice(0, from)}${begin}\n\n${text}\n\n${page.slice(to)}`;
}
