import { Marked, type Token, type Tokens } from "marked";
import { graphemesOf, isWide } from "../terminal-text.ts";
import { afterBlocks, type Before, blockMarks, isClosedFence, type Margin, type Mark, openingFence } from "./blocks.ts";
import { beginsWord, type Style } from "./inline.ts";
import { LineWriter } from "./line-writer.ts";

/** How Markdown is shown. */
export interface MarkdownOptions {
  /** Columns of the terminal at this moment; `Infinity` breaks no line. */
  readonly width: () => number;
  /** Columns left empty at the start of each line. */
  readonly indent: number;
  /** Whether the terminal makes links of OSC 8 codes; without them, addresses stand beside their texts. */
  readonly links: boolean;
  /** Styles of all text. */
  readonly styles: readonly Style[];
}

/** Longest block in characters; a longer one is cut. Items of a list and lines of code are blocks of their own here. */
const LONGEST_BLOCK = 8000;
const LONGEST_TABLE = 64_000;
/** Blocks up to this length are read with each piece, longer ones each time they have grown by some words. */
const OFTEN = 1000;

/**
 * Markdown as text of a terminal, while it arrives. Text whose look no longer changes is written at once, word by word; a line of
 * code at its end, and a table at its end. Nothing is written twice or taken back, so the cursor only moves forward.
 */
export class MarkdownStream {
  readonly #options: MarkdownOptions;
  readonly #writer: LineWriter;
  /** The text from the beginning of the current block on. */
  #source = "";
  /** The marks of that block that are written. */
  #written: readonly Mark[] = [];
  #before: Before | undefined;
  /** Whether the written part of the block turned out wrong; no more of it is written before its end. */
  #isUnsure = false;
  /** Length of the source when it was last read. */
  #read = 0;

  constructor(options: MarkdownOptions) {
    this.#options = options;
    this.#writer = new LineWriter(options.width, options.styles);
  }

  /** Takes the next piece, without terminal codes; returns what can be shown. */
  push(text: string): string {
    this.#source += text;
    const { length } = this.#source;
    // Reading all of a long block for each piece would take time that grows with the square of its length.
    const isSettled = this.#source.slice(-text.length - 1).includes("\n\n");
    if (length > OFTEN && length - this.#read < length / 16 && !isSettled) return "";
    const tokens = readTokens(this.#source.slice(0, knownLength(this.#source)));
    const last = tokens.findLastIndex(({ type }) => type !== "space");
    const done = tokens.slice(0, Math.max(0, last));
    const read = done.map(({ raw }) => raw).join("");
    // The parser rewrites some white space. Then the blocks stay together until there are more.
    const isRead = this.#source.startsWith(read);
    let shown = isRead ? this.#finish(done, read.length) : "";
    shown += this.#show(isRead ? tokens.slice(done.length) : tokens, true);
    if (isRead) this.#dropCode(tokens[last]);
    this.#read = this.#source.length;
    const longest = tokens[last]?.type === "table" ? LONGEST_TABLE : LONGEST_BLOCK;
    return this.#source.length <= longest || isCodeOpen(tokens[last]) ? shown : shown + this.#finishAll();
  }

  /** The text is complete: the rest of it, with the end of the line. */
  end(): string {
    const shown = this.#finishAll() + this.#writer.endLine();
    this.#before = undefined;
    return shown;
  }

  /** Ends the current line for something that is written in between; the text continues after it. */
  breakLine(): string {
    return this.#writer.endLineOfText();
  }

  #finishAll(): string {
    return this.#finish(readTokens(this.#source), this.#source.length);
  }

  /** Writes the rest of blocks that are complete, and forgets them and their source. */
  #finish(done: readonly Token[], length: number): string {
    this.#source = this.#source.slice(length);
    if (done.length === 0) return "";
    const shown = this.#show(done, false);
    this.#before = afterBlocks(done, this.#before);
    this.#written = [];
    this.#isUnsure = false;
    return shown;
  }

  #show(tokens: readonly Token[], open: boolean): string {
    if (open && this.#isUnsure) return "";
    const marks = this.#marks(tokens, open);
    const known = this.#written;
    const same = known.findIndex((mark, index) => marks[index] !== undefined && !isSame(mark, marks[index]));
    let shown = "";
    let from = known.length;
    if (same !== -1) {
      // Something turned out to be something else, such as a line of text the head of a table: it is written again, as that.
      // The rest of the block follows at its end.
      this.#isUnsure = open;
      if (open) return "";
      shown = this.#writer.endLine();
      from = same;
    }
    for (const mark of marks.slice(from)) shown += this.#writer.write(mark);
    if (marks.length >= from) this.#written = marks;
    return shown;
  }

  #marks(tokens: readonly Token[], open: boolean): Mark[] {
    const { indent, links, styles } = this.#options;
    const margin = indent === 0 ? [] : [{ text: " ".repeat(indent), styles: [] }];
    const settled = /\n[ \t>]*\n[ \t>]*$/.test(this.#source);
    return blockMarks(tokens, { open, settled, links, styles, first: margin, rest: margin }, this.#before);
  }

  /** Forgets the lines of code that are written. */
  #dropCode(code: Token | undefined): void {
    if (code === undefined || !isCodeOpen(code) || code.raw.length < OFTEN) return;
    const [fence = ""] = this.#source.split("\n", 1);
    const begin = this.#written.findIndex(({ type }) => type === "code-start") + 1;
    if (begin === 0 || code.raw.lastIndexOf("\n") <= fence.length) return;
    this.#source = fence + this.#source.slice(code.raw.lastIndexOf("\n"));
    this.#written = this.#written.slice(0, begin);
  }
}

/** Text above a line of equal signs stays text, and names of links stay unresolved: both would change text that is already shown. */
const MARKDOWN: Marked = new Marked({
  gfm: true,
  breaks: true,
  tokenizer: { lheading: () => undefined, def: () => undefined, reflink: () => undefined },
});

function readTokens(source: string): Token[] {
  try {
    return MARKDOWN.lexer(source).flatMap((token) =>
      token.type === "list" ? splitItems(token as Tokens.List) : [token],
    );
  } catch (error) {
    // Nested more deeply than the stack allows.
    if (!(error instanceof RangeError)) throw error;
    return [{ type: "html", raw: source, text: source, block: true, pre: false }];
  }
}

/** All items except the last, which may continue, and the last. */
function splitItems(list: Tokens.List): Token[] {
  const items = list.items.slice(0, -1);
  const raw = items.map((item) => item.raw).join("");
  if (items.length === 0 || !list.raw.startsWith(raw)) return [list];
  return [
    { ...list, items, raw },
    { ...list, items: list.items.slice(-1), raw: list.raw.slice(raw.length) },
  ];
}

function isCodeOpen(token: Token | undefined): boolean {
  return token?.type === "code" && openingFence(token.raw) !== undefined && !isClosedFence(token.raw);
}

/** What a line may begin with before a fence or a tag. */
const LINE_START = /^[\s>*+.)\d-]*/;
/** A line of which only marks are known: a list, a rule, a heading or text. */
const ONLY_MARKS = /^[\s>*+.)\d#_=|:`~-]*(?:\[[ xX]?\]?\s*)?$/;
const ROW_OF_DASHES = /^[\s>|:-]*$/;
/** A line without its last word, which may continue; where there are no spaces, without its last wide character. */
function withoutLastWord(line: string): string {
  const start = line.search(/\S*$/);
  const word = line.slice(start);
  // An address ends at white space only.
  const characters = isWide(word) && !/:\/\/|www\.|@/i.test(word) ? graphemesOf(word) : [];
  let end = characters.length;
  // The meaning of a mark before it depends on it.
  do end = Math.max(0, characters.slice(0, end).findLastIndex(beginsWord));
  while (end > 0 && /[!-/:-@[-`{-~]$/.test(characters[end - 1] ?? ""));
  return line.slice(0, start) + characters.slice(0, end).join("");
}

/** Length of the part of a text that looks the same whatever follows. Text that inline marks leave open is left out later. */
function knownLength(source: string): number {
  const begin = source.lastIndexOf("\n") + 1;
  const line = source.slice(begin);
  const after = line.replace(LINE_START, "");
  let end = source.length;
  if (line !== "") {
    const words = withoutLastWord(line);
    const isWhole = /^(?:`{3}|~{3}|<)/.test(after) || line.includes("|") || ONLY_MARKS.test(words);
    end = isWhole ? begin : begin + words.length;
  }
  // A line with bars is the head of a table if dashes follow.
  const previous = source.slice(source.lastIndexOf("\n", begin - 2) + 1, Math.max(0, begin - 1));
  const isHead = begin > 0 && previous.includes("|") && !ROW_OF_DASHES.test(previous);
  return isHead && ROW_OF_DASHES.test(line) ? begin - 1 - previous.length : end;
}

function isSame(one: Mark, other: Mark | undefined): boolean {
  if (one.type === "start" && other?.type === "start") return textOf(one.first) === textOf(other.first);
  if (one.type !== "word" || other?.type !== "word") return one.type === other?.type;
  const { pieces } = other;
  return (
    one.space === other.space &&
    one.pieces.length === pieces.length &&
    one.pieces.every(
      ({ text, styles, href }, index) =>
        text === pieces[index]?.text && href === pieces[index].href && styles.length === pieces[index].styles.length,
    )
  );
}

function textOf(margin: Margin): string {
  return margin.map(({ text }) => text).join("");
}
