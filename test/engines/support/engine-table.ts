/** The result of one case on one implementation. */
export interface Cell {
  readonly state: "ok" | "n/a" | "FAILED";
  /** The reason, or a remark. */
  readonly note?: string | undefined;
  readonly problems: readonly string[];
}

/** Cases by name, each with its cells in the order of the implementations. */
export type EngineTable = ReadonlyMap<string, ReadonlyMap<string, Cell>>;

/** The table as Markdown, with the reasons below it. */
export function printTable(title: string, places: readonly string[], table: EngineTable): string {
  const notes: string[] = [];
  const rows = [...table].map(([name, cells]) => [
    name,
    ...places.map((place) => {
      const cell = cells.get(place);
      if (cell === undefined) return "";
      const said = cell.problems[0] ?? cell.note;
      if (said === undefined) return cell.state;
      const more = cell.problems.length > 1 ? ` (and ${cell.problems.length - 1} more)` : "";
      notes.push(`${name}, ${place}: ${said}${more}`);
      return `${cell.state} [${notes.length}]`;
    }),
  ]);
  const lines = [["", ...places], ...rows];
  const widths = ["", ...places].map((_, column) => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)));
  const text = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = lines;
  return [
    title,
    "",
    text(head),
    text(widths.map((width) => "-".repeat(width))),
    ...body.map((line) => text(line)),
    "",
    ...notes.map((note, index) => `${index + 1}. ${note}`),
  ].join("\n");
}
