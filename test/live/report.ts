/** One line of the table: the service's answer beside the emulator's. */
export interface Row {
  readonly part: "questions" | "rules" | "examples" | "laws";
  readonly id: string;
  readonly service: string;
  readonly asks: string;
  readonly marks: readonly string[];
  /** The service's answer; for a promise, its result. */
  readonly said: string;
  /** The emulator's answer; for a promise, that it is kept. */
  readonly expected: string;
  readonly outcome: "same" | "differs" | "not asked";
  /** The change in the emulator. */
  readonly change?: string | undefined;
  readonly note?: string | undefined;
}

export interface LiveReport {
  readonly date: string;
  readonly spent: number;
  readonly ceiling: number;
  readonly rows: readonly Row[];
}

const OUTCOMES = ["differs", "not asked", "same"] as const;

/** The report in one sentence. */
export function summary({ rows, spent, ceiling }: LiveReport): string {
  const counts = OUTCOMES.map(
    (outcome) =>
      `${rows.filter((row) => row.outcome === outcome).length} ${outcome === "differs" ? "differ" : outcome === "same" ? "as expected" : outcome}`,
  );
  return `${rows.length} asked for: ${counts.join(", ")}. Spent $${spent.toFixed(4)} of $${ceiling}.`;
}

/** The table for a terminal: differences and unanswered questions. */
export function printed(report: LiveReport): string {
  const differing = report.rows.filter(({ outcome }) => outcome === "differs");
  const rows = differing.map(({ id, service, said, expected }) => [`${id} (${service})`, cut(said), cut(expected)]);
  const head = ["", "service", "emulator"];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const changes = differing.flatMap(({ id, change }) => (change === undefined ? [] : [`${id}: ${change}`]));
  const unasked = report.rows.filter(({ outcome }) => outcome === "not asked");
  const open = [...new Set(unasked.map(({ note }) => note))].map((why) => {
    const some = unasked.filter(({ note }) => note === why);
    return `${why}: ${some.map(({ id, service }) => `${id} (${service})`).join(", ")}`;
  });
  return [
    ...(rows.length === 0 ? [] : [line(head), ...rows.map(line), ""]),
    ...(changes.length === 0
      ? []
      : ["What to change in packages/emulator/src:", ...[...new Set(changes)].map((change) => `- ${change}`), ""]),
    ...(open.length === 0 ? [] : ["Not asked:", ...open.map((text) => `- ${text}`), ""]),
    summary(report),
  ].join("\n");
}

/** The whole table, as Markdown. */
export function markdown(report: LiveReport): string {
  const sections = OUTCOMES.flatMap((outcome) => {
    const rows = report.rows.filter((row) => row.outcome === outcome);
    if (rows.length === 0) return [];
    const lines = rows.map(({ id, service, asks, said, expected, change, note }) => [
      id,
      service,
      asks,
      said,
      expected,
      change ?? note ?? "",
    ]);
    return [
      `## ${outcome === "differs" ? "Differs" : outcome === "same" ? "As expected" : "Not asked"}\n\n${table(["id", "asked", "question", "service", "emulator", "change"], lines)}`,
    ];
  });
  return `# The service beside the emulator, ${report.date}\n\n${summary(report)}\n\n${sections.join("\n\n")}\n`;
}

/** A table of Markdown, as the formatter pads it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) =>
    row.map((cell) => cell.replaceAll("|", "\\|").replaceAll(/\s*\n\s*/g, " ")),
  );
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [first = [], ...rest] = cells;
  return [line(first), line(widths.map((width) => "-".repeat(width))), ...rest.map(line)].join("\n");
}

function cut(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length <= 60 ? line : `${line.slice(0, 59)}…`;
}
