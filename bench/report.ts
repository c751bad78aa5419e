import type { Absence, Figure, Measured, Row } from "./row.ts";

/** All measurements as Markdown: the targets and whether they are met, then every driver's figures. */
export function reportOf({ rows, absences }: Measured, heading = "##"): string {
  const targets = rows.flatMap(targetLines);
  const titleOf = (row: Row): string => row.table ?? "All figures";
  const titles = [...new Set(rows.map(titleOf))];
  const blocks = [
    ...(targets.length > 0
      ? [`${heading} Targets`, table(["what", "target", "figure", "of the rounds", "met"], targets)]
      : []),
    ...titles.flatMap((title) => [`${heading} ${title}`, figureTable(rows.filter((row) => titleOf(row) === title))]),
    ...(absences.length > 0 ? [`${heading} Left out`, absenceLines(absences).join("\n")] : []),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function figureTable(rows: readonly Row[]): string {
  const drivers = [...new Set(rows.flatMap(({ figures }) => figures.map(({ driver }) => driver)))];
  return table(
    ["what", ...drivers],
    rows.map((row) => figureLine(row, drivers)),
  );
}

function targetLines(row: Row): readonly (readonly string[])[] {
  return row.targets.flatMap(({ driver, atMost }) => {
    const found = row.figures.find((figure) => figure.driver === driver);
    if (found === undefined) return [];
    const name = driver === "pollux" ? row.label : `${row.label}; ${driver}`;
    const [least, greatest] = found.range;
    const range = least === greatest ? "" : `${short(least)} to ${short(greatest)}`;
    return [
      [name, `at most ${withUnit(row, atMost)}`, figureText(row, found), range, found.figure <= atMost ? "yes" : "no"],
    ];
  });
}

function figureText(row: Row, { figure, value }: Figure): string {
  return row.relation === "times" ? `${withUnit(row, figure)} (${short(value)} ${row.unit})` : withUnit(row, figure);
}

function withUnit({ relation, baseline, unit }: Row, value: number): string {
  return relation === "times" ? `${short(value)} × ${baseline}` : `${short(value)} ${unit}`.trim();
}

/** The baseline's own value, and the others relative to it. */
function figureLine(row: Row, drivers: readonly string[]): readonly string[] {
  const cells = drivers.map((driver) => {
    const found = row.figures.find((figure) => figure.driver === driver);
    if (found === undefined) return "";
    if (row.relation === "own" || driver === row.baseline) return `${short(found.value)} ${row.unit}`.trim();
    return row.relation === "times"
      ? `${short(found.figure)} ×`
      : `${found.figure < 0 ? "" : "+"}${short(found.figure)} ${row.unit}`;
  });
  return [row.label, ...cells];
}

/** One line per driver and reason. */
function absenceLines(absences: readonly Absence[]): readonly string[] {
  const groups = new Map<string, string[]>();
  for (const { driver, reason, rows } of absences) {
    const said = groups.get(`${driver}\n${reason}`) ?? [];
    said.push(...rows);
    groups.set(`${driver}\n${reason}`, said);
  }
  return [...groups].map(([key, rows]) => {
    const [driver, reason] = key.split("\n");
    return `- ${driver} (${rows.join(", ")}): ${reason}`;
  });
}

/** Three significant digits. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value) && size >= 10) return value.toLocaleString("en-US");
  return size >= 100 ? Math.round(value).toLocaleString("en-US") : value.toFixed(size >= 10 ? 1 : 2);
}

/** Columns are padded as this repository's formatter does. */
export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) =>
    Math.max(3, name.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const written = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  return [written(head), written(widths.map((width) => "-".repeat(width))), ...lines.map(written)].join("\n");
}
