import { columnsOf } from "../terminal-text.ts";
import type { Margin, Mark } from "./blocks.ts";
import { Highlighter } from "./highlight.ts";
import { paint, type Piece, type Style, type Word } from "./inline.ts";
import { layOutTable } from "./table-layout.ts";

/** Columns that text has at least, however deep it is nested. */
const ROOM = 10;
const LONGEST_RULE = 40;

/** Writes marks as lines of a terminal. Nothing written is taken back; the width is read again for each word. */
export class LineWriter {
  readonly #widthNow: () => number;
  readonly #styles: readonly Style[];
  /** The beginning of the next line. */
  #margin: Margin = [];
  #rest: Margin = [];
  /** Columns used on the current line; `undefined` if it is not begun. */
  #column: number | undefined;
  #last: Piece | undefined;
  /** True while a block has begun and nothing of it is written. */
  #owesMargin = false;
  #code: Highlighter | undefined;

  /** @param width - Columns of the terminal at this moment. @param styles - Styles of all text. */
  constructor(width: () => number, styles: readonly Style[]) {
    this.#widthNow = width;
    this.#styles = styles;
  }

  /** The text of one more mark. */
  write(mark: Mark): string {
    switch (mark.type) {
      case "start": {
        const ended = this.endLine();
        this.#margin = mark.first;
        this.#rest = mark.rest;
        this.#owesMargin = true;
        return ended;
      }
      case "word":
        return this.#word(mark);
      case "break":
        return this.#beginLine() + this.endLine();
      case "gap": {
        const ended = this.endLine();
        return `${ended}${this.#paintAll(trimmed(mark.margin))}\n`;
      }
      case "rule":
        return this.#line([this.#dim("─".repeat(Math.min(LONGEST_RULE, this.#room())))]);
      case "code-start":
        this.#code = new Highlighter(mark.language, this.#styles);
        return this.#line([this.#dim(`╭─ ${mark.language}`.trimEnd())]);
      case "code-line":
        return this.#line(this.#code?.line(mark.text) ?? [{ text: mark.text, styles: this.#styles }]);
      case "code-end":
        this.#code = undefined;
        return this.#line([this.#dim("╰─")]);
      case "table":
        return layOutTable(mark.table, this.#room(), this.#styles)
          .map((line) => this.#line(line))
          .join("");
    }
  }

  /** Ends a line that is begun. */
  endLine(): string {
    if (this.#owesMargin) this.#margin = trimmed(this.#margin);
    const begun = this.#owesMargin ? this.#beginLine() : "";
    if (this.#column === undefined) return begun;
    this.#column = undefined;
    this.#last = undefined;
    return `${begun}\n`;
  }

  #word({ pieces, columns, space }: Word): string {
    const text = pieces.map(paint).join("");
    const width = this.#width();
    const used = this.#column;
    let before = "";
    if (used === undefined) before = this.#beginLine();
    else if (used + (space ? 1 : 0) + columns > width) before = this.endLine() + this.#beginLine();
    else if (space) {
      before = this.#space(pieces[0]);
      this.#column = used + 1;
    }
    // A word that is longer than a line is wrapped by the terminal, from which it can be copied in one piece.
    const now = (this.#column ?? 0) + columns;
    this.#column = now > width ? now % width : now;
    this.#last = pieces.at(-1);
    return before + text;
  }

  /** A space between two words of one style, or of one link, is part of it. */
  #space(next: Piece | undefined): string {
    const last = this.#last;
    const isShared = last !== undefined && last.href === next?.href && last.styles.join() === next?.styles.join();
    return isShared ? paint({ ...last, text: " " }) : " ";
  }

  #line(pieces: readonly Piece[]): string {
    return this.endLineOfText() + this.#beginLine() + pieces.map(paint).join("") + this.endLine();
  }

  /** As {@link endLine}, but a margin that is not written yet is kept for the line that follows. */
  endLineOfText(): string {
    return this.#owesMargin ? "" : this.endLine();
  }

  #beginLine(): string {
    if (this.#column !== undefined) return "";
    const margin = this.#margin;
    this.#margin = this.#rest;
    this.#owesMargin = false;
    this.#column = columnsOf(margin.map(({ text }) => text).join(""));
    return this.#paintAll(margin);
  }

  #paintAll(margin: Margin): string {
    return margin
      .map((piece) =>
        piece.text.trim() === "" ? piece.text : paint({ ...piece, styles: [...this.#styles, ...piece.styles] }),
      )
      .join("");
  }

  #dim(text: string): Piece {
    return { text, styles: [...new Set([...this.#styles, "dim" as const])] };
  }

  /** Columns between the margin and the end of the line. */
  #room(): number {
    return this.#width() - columnsOf(this.#rest.map(({ text }) => text).join(""));
  }

  #width(): number {
    return Math.max(this.#widthNow(), columnsOf(this.#rest.map(({ text }) => text).join("")) + ROOM);
  }
}

/** A margin without white space at its end. */
function trimmed(margin: Margin): Margin {
  const last = margin.at(-1);
  if (last === undefined) return [];
  const text = last.text.trimEnd();
  return text === "" ? trimmed(margin.slice(0, -1)) : [...margin.slice(0, -1), { ...last, text }];
}
