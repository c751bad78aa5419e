import { columnsOf, printable, wrapText } from "./terminal-text.ts";

/** How a session is shown. */
export interface ShowOptions {
  /** Of the session, for its heading. */
  readonly title?: string | undefined;
  /** Columns of a line. @defaultValue 100 */
  readonly width?: number | undefined;
  /** Whether to colour, by the codes of a terminal. @defaultValue false */
  readonly color?: boolean | undefined;
  /** Whether to show the model's summaries of its thoughts. @defaultValue false */
  readonly thoughts?: boolean | undefined;
}

/** Who says a line, or what it is. */
export type Label =
  | "user"
  | "model"
  | "thought"
  | "call"
  | "result"
  | "failed"
  | "asked"
  | "answer"
  | "said"
  | "retry"
  | "media"
  | "code"
  | "printed"
  | "summary"
  | "end"
  | "waits";

const LABEL_COLUMNS = 9;

/** Codes of a terminal: bold, dim, cyan and so on. */
const CODES: { readonly [label in Label | "heading"]: string } = {
  heading: "1",
  user: "1;36",
  said: "1;36",
  answer: "1;36",
  model: "1;32",
  thought: "2",
  call: "33",
  result: "2",
  failed: "31",
  asked: "35",
  waits: "35",
  retry: "2",
  media: "2",
  code: "33",
  printed: "2",
  summary: "2",
  end: "1",
};

/** Lines of a page, in two columns: a label, and what is said. */
export class Page {
  readonly #lines: string[] = [];
  readonly #width: number;
  readonly #color: boolean;

  constructor({ width = 100, color = false }: ShowOptions) {
    this.#width = Math.max(30, width);
    this.#color = color;
  }

  heading(text: string): void {
    if (this.#lines.length > 0) this.#lines.push("");
    this.#lines.push(...wrapText(printable(text), this.#width).map((line) => this.#paint("heading", line)));
  }

  /** Says a text under a label. Terminal codes in it are taken out. */
  say(label: Label, text: string): void {
    const clean = printable(text).trimEnd();
    if (clean === "") return;
    for (const [index, line] of wrapText(clean, this.#width - LABEL_COLUMNS - 1).entries()) {
      const name = index === 0 ? label : "";
      const padding = " ".repeat(LABEL_COLUMNS - columnsOf(name));
      this.#lines.push(`  ${this.#paint(label, name)}${padding.slice(1)}${this.#dim(label, line)}`.trimEnd());
    }
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  #paint(what: Label | "heading", text: string): string {
    return this.#color && text !== "" ? `\u001b[${CODES[what]}m${text}\u001b[0m` : text;
  }

  #dim(label: Label, line: string): string {
    return CODES[label] === "2" ? this.#paint(label, line) : line;
  }
}
