import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAnswered, isStream, type Recording } from "./recordings.ts";
import { type CheckReport, describeTotal } from "./run-checks.ts";

/** The generated places of the page, by the name in the comments around them. */
type Place = "figures" | "kept";

const begin = (place: Place): string => `<!-- ${place}: written by \`pnpm contract --docs\` -->`;
const end = (place: Place): string => `<!-- end of ${place} -->`;

/** The page with the figures. */
export const DOCS_PAGE: string = join(import.meta.dirname, "../../docs/contract.md");

/** The published text of a place. @throws If the page does not have it. */
export function publishedIn(page: string, place: Place = "figures"): string {
  const text = readFileSync(page, "utf8");
  const [from, to] = [text.indexOf(begin(place)), text.indexOf(end(place))];
  if (from < 0 || to < from) throw new Error(`${page} needs the lines "${begin(place)}" and "${end(place)}".`);
  return text.slice(from + begin(place).length, to).trim();
}

/** Replaces the published text of a place. */
export function publish(page: string, figures: string, place: Place = "figures"): void {
  const old = publishedIn(page, place);
  const text = readFileSync(page, "utf8");
  writeFileSync(
    page,
    text.replace(`${begin(place)}\n\n${old}`, () => `${begin(place)}\n\n${figures}`),
  );
}

/** Defines "kept", with the number of kept values and the rules for the missing ones. */
export function keptIn(reports: readonly CheckReport[]): string {
  const report = reports.find(({ check }) => check.id === "values");
  const { values = 0, "values kept": kept = 0 } = report?.measured ?? {};
  const rules = Object.entries(report?.vanished ?? {}).toSorted(([, a], [, b]) => b - a);
  const gone = rules.reduce((sum, [, count]) => sum + count, 0);
  const listed = rules.map(([rule, count]) => `${rule} ${number(count)}`).join(", ");
  return [
    `**Kept** means that a recorded value stands, unchanged and in its place, in what Pollux makes of the answer. Of ${number(values)} values compared, ${number(kept)} are identical, ${number(gone)} are excused by a [rule](#what-is-excused-and-why-nothing-is-lost), and ${number(values - kept - gone)} are lost.`,
    `Excused, by rule: ${listed}.`,
  ].join("\n\n");
}

/** The results of the checks as Markdown, without anything that varies from run to run. */
export function figuresOf(recordings: readonly Recording[], reports: readonly CheckReport[]): string {
  const exchanges = recordings.flatMap((recording) => recording.exchanges);
  const checks = reports.map(({ check, checked, unknown, skipped }) => [
    `\`${check.id}\``,
    check.compares,
    check.against,
    number(checked),
    number(unknown.length),
    number(Object.values(skipped).reduce((sum, count) => sum + count, 0)),
  ]);
  const gone = reports.flatMap(({ check, vanished }) =>
    (check.mayVanish ?? []).map(({ rule, why }) => [`\`${check.id}\``, rule, number(vanished[rule] ?? 0), why]),
  );
  const left = reports.flatMap(({ check, skipped }) =>
    Object.entries(skipped).map(([why, count]) => [`\`${check.id}\``, number(count), why]),
  );
  const kept = reports.reduce((sum, { measured }) => sum + (measured["values kept"] ?? 0), 0);
  const streams = exchanges.filter((exchange) => isAnswered(exchange) && isStream(exchange)).length;
  const errors = exchanges.filter((exchange) => !isAnswered(exchange)).length;
  return [
    `${describeTotal(recordings.length, exchanges.length, reports)}.`,
    `Of the exchanges, ${number(streams)} are streams and ${number(errors)} errors. Of the values, ${number(kept)} were kept; the rest is excused by a rule below.`,
    "### Checks",
    table(["check", "of Pollux", "held against", "compared", "differ", "left out"], checks),
    "### What is excused, and why nothing is lost",
    table(["check", "rule", "times", "why"], gone),
    "### Left out",
    table(["check", "exchanges", "why"], left),
    "### Where the recordings are from",
    table(["repository", "license", "files", "exchanges"], sourcesOf(recordings)),
  ].join("\n\n");
}

/** Repositories by number of files. */
function sourcesOf(recordings: readonly Recording[]): readonly (readonly string[])[] {
  const sources = new Map<string, Recording[]>();
  for (const recording of recordings) {
    const repository = recording.source?.split("@")[0] ?? "(not named)";
    sources.set(repository, [...(sources.get(repository) ?? []), recording]);
  }
  const rows = [...sources].toSorted(([a, { length: m }], [b, { length: n }]) => n - m || (a < b ? -1 : 1));
  return rows.map(([repository, files]) => [
    repository.includes("/") ? `[${repository}](https://github.com/${repository})` : repository,
    [...new Set(files.map(({ license }) => license ?? "(not named)"))].toSorted((a, b) => (a < b ? -1 : 1)).join(", "),
    number(files.length),
    number(files.reduce((sum, file) => sum + file.exchanges.length, 0)),
  ]);
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

/** Columns of equal width, in the formatter's style. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) => Math.max(3, ...[head, ...rows].map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
