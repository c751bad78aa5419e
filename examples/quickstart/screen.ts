import { styleText } from "node:util";
import { type Connection, RunPrinter, showsColor } from "@pollux/cli";
import { renderMarkdown, type RunResult } from "@pollux/core";

/** How the steps of the quickstart look: a numbered heading each, and everything else indented below it. */
export class Screen {
  readonly printer: RunPrinter = new RunPrinter({ indent: 4 });
  readonly #headings: RunPrinter = new RunPrinter();
  #steps = 0;

  title(name: string, subtitle: string, { description }: Connection): void {
    this.#headings.line(`${this.#style("bold", name)}  ${subtitle}`);
    this.#headings.note(description);
  }

  step(title: string): void {
    this.#steps++;
    this.#headings.line(`\n${this.#style("bold", this.#style("cyan", `${this.#steps}`.padEnd(4)) + title)}`);
  }

  /** What the user says. */
  question(text: string): void {
    this.printer.line(this.#style("bold", `> ${text}`));
  }

  /** An answer with the numbers of its sources in the text, and the sources below. */
  footnotes(result: Pick<RunResult<unknown>, "text" | "citations" | "sources">): void {
    const [text = ""] = renderMarkdown(result).split("\n\n---\n");
    this.printer.line(text.replaceAll(/\[\d+\]/g, (mark) => this.#style("cyan", mark)));
    this.printer.sources(result);
  }

  /** Names and values, one per line. */
  fields(values: Readonly<Record<string, string>>): void {
    const width = Math.max(...Object.keys(values).map((name) => name.length));
    for (const [name, value] of Object.entries(values))
      this.printer.line(`${this.printer.dim(name.padEnd(width))}  ${value}`);
  }

  success(text: string): void {
    this.printer.line(`${this.#style("green", "✓")} ${text}`);
  }

  failure(text: string): void {
    this.printer.line(`${this.#style("red", "✗")} ${text}`);
  }

  /** Rows of cells; the first row is the heading, and the first column is text. */
  table(rows: readonly (readonly string[])[]): void {
    const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
    for (const [index, row] of rows.entries()) {
      const line = row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart((widths[column] ?? 0) + 2)))
        .join("");
      this.printer.line(index === 0 ? this.printer.dim(line) : line);
    }
  }

  /** Commands, each with what it does. */
  commands(all: Readonly<Record<string, string>>): void {
    const width = Math.max(...Object.keys(all).map((command) => command.length));
    for (const [command, what] of Object.entries(all))
      this.printer.line(`${this.#style("green", command.padEnd(width))}  ${this.printer.dim(what)}`);
  }

  #style(format: Parameters<typeof styleText>[0], text: string): string {
    return showsColor(process) ? styleText(format, text, { validateStream: false }) : text;
  }
}
