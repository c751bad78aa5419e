/** Counts by row and column, printed as a table at the end. */
export class Tally {
  readonly #title: string;
  readonly #rows: Map<string, Map<string, number>> = new Map();
  readonly #columns: Set<string> = new Set();
  readonly #notes: string[] = [];

  /** @param columns - Shown in this order, with 0 for no counts; others follow in order of appearance. */
  constructor(title: string, columns: readonly string[] = []) {
    this.#title = title;
    for (const column of columns) this.#columns.add(column);
  }

  count(row: string, column: string, by = 1): void {
    const counts = this.#rows.get(row) ?? new Map<string, number>();
    this.#rows.set(row, counts);
    this.#columns.add(column);
    counts.set(column, (counts.get(column) ?? 0) + by);
  }

  /** Counts problems by the word before their colon (`lost`, `doubled`, `untyped`). @returns The problems with their place. */
  found(row: string, where: string, problems: readonly string[]): readonly string[] {
    for (const problem of problems) this.count(row, problem.split(":")[0] ?? problem);
    return problems.map((problem) => (where === "" ? problem : `${where}: ${problem}`));
  }

  /** A sentence under the table. */
  note(text: string): void {
    this.#notes.push(text);
  }

  /** Sum of a column over all rows. */
  total(column: string): number {
    return [...this.#rows.values()].reduce((sum, counts) => sum + (counts.get(column) ?? 0), 0);
  }

  /** Prints it. */
  print(): void {
    console.info(this.toString());
  }

  toString(): string {
    const columns = [...this.#columns];
    const lines = [["", ...columns]];
    for (const [row, counts] of this.#rows) lines.push([row, ...columns.map((one) => String(counts.get(one) ?? 0))]);
    if (this.#rows.size > 1) lines.push(["all", ...columns.map((one) => String(this.total(one)))]);
    const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index + 1]?.length ?? 0)));
    const first = Math.max(...lines.map(([name]) => name?.length ?? 0));
    const table = lines.map(([name = "", ...cells]) =>
      [name.padEnd(first), ...cells.map((cell, index) => cell.padStart(widths[index] ?? 0))].join("  "),
    );
    return [`\n${this.#title}`, ...table, ...this.#notes].join("\n");
  }
}
