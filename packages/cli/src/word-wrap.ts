import { columnsOf } from "./terminal-text.ts";

/** Where lines begin and end. */
export interface LineLimits {
  /** Columns of the terminal at this moment; `Infinity` breaks no line. */
  readonly width: () => number;
  /** Columns left empty at the start of each line. */
  readonly indent: number;
}

/** Breaks text into lines between words while it arrives. The last word is held back until it is complete. */
export class WordWrap {
  readonly #limits: LineLimits;
  readonly #indent: string;
  /** Columns used on the current line; 0 before its first word. */
  #column = 0;
  #space = "";
  #word = "";

  constructor(limits: LineLimits) {
    this.#limits = limits;
    this.#indent = " ".repeat(limits.indent);
  }

  /** True if the current line is not ended. */
  get isMidLine(): boolean {
    return this.#column > 0 || this.#word !== "";
  }

  /** Takes the next piece of the text, and returns what can be shown. */
  push(text: string): string {
    let shown = "";
    for (const piece of text.split(/(\n|[ \t]+)/)) {
      if (piece === "\n") shown += this.endLine();
      else if (/^[ \t]+$/.test(piece)) {
        shown += this.flush();
        this.#space += piece;
      } else this.#word += piece;
    }
    return shown;
  }

  /** Ends the current line, also an empty one. */
  endLine(): string {
    const shown = `${this.flush()}\n`;
    this.#column = 0;
    this.#space = "";
    return shown;
  }

  /** The word that is held back. */
  flush(): string {
    if (this.#word === "") return "";
    const columns = columnsOf(this.#word);
    const isFirst = this.#column === 0;
    const breaks = !isFirst && this.#column + this.#space.length + columns > this.#limits.width();
    const before = breaks ? `\n${this.#indent}` : isFirst ? this.#indent + this.#space : this.#space;
    const shown = before + this.#word;
    this.#column =
      breaks || isFirst ? columns + before.replace("\n", "").length : this.#column + this.#space.length + columns;
    this.#space = "";
    this.#word = "";
    return shown;
  }
}
