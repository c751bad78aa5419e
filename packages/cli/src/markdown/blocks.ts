import type { Token, Tokens } from "marked";
import { columnsOf, printable } from "../terminal-text.ts";
import { type Break, type InlineOptions, inlineWords, type Piece, type Style, type Word } from "./inline.ts";

/** The beginning of a block's lines, such as a bullet or the bar of a quote. */
export type Margin = readonly Piece[];

/** One thing to write; a text is a list of them, and a longer text begins with the list of a shorter one. */
export type Mark =
  | Word
  | Break
  /** A block begins, with the margins of its first line and of its other lines. */
  | { readonly type: "start"; readonly first: Margin; readonly rest: Margin }
  | { readonly type: "gap"; readonly margin: Margin }
  | { readonly type: "rule" }
  | { readonly type: "code-start"; readonly language: string }
  | { readonly type: "code-line"; readonly text: string }
  | { readonly type: "code-end" }
  | { readonly type: "table"; readonly table: Table };

/** A table's cells, each a list of lines. */
export interface Table {
  readonly header: readonly Cell[];
  readonly rows: readonly (readonly Cell[])[];
  readonly align: readonly ("center" | "left" | "right" | null)[];
}

export type Cell = readonly (Word | Break)[];

/** How blocks are read. */
export interface BlockOptions extends InlineOptions {
  readonly first: Margin;
  readonly rest: Margin;
  /** Whether an empty line has followed: no paragraph and no table continues. */
  readonly settled: boolean;
}

/** What precedes a block. */
export interface Before {
  readonly type: string;
  /** Whether an empty line follows it. */
  readonly blank: boolean;
}

/** The marks of blocks in order. @param before - The block that came before them, if any. */
export function blockMarks(tokens: readonly Token[], options: BlockOptions, before?: Before): Mark[] {
  const marks: Mark[] = [];
  const last = tokens.findLastIndex(({ type }) => type !== "space");
  let previous = before;
  let first = options.first;
  for (const [index, token] of tokens.entries()) {
    if (token.type === "space" || token.type === "checkbox") {
      if (previous !== undefined) previous = { type: previous.type, blank: true };
      continue;
    }
    const own = markBlock(token, { ...options, first, open: options.open && index === last });
    if (own.length > 0) {
      if (previous !== undefined && needsGap(previous, token)) marks.push({ type: "gap", margin: options.rest });
      marks.push(...own);
      first = options.rest;
    }
    previous = afterBlock(token);
  }
  return marks;
}

/** How the last of some blocks affects the next one. */
export function afterBlocks(tokens: readonly Token[], before: Before | undefined): Before | undefined {
  const last = tokens.findLast(({ type }) => type !== "space");
  const after = last === undefined ? before : afterBlock(last);
  return after && { type: after.type, blank: after.blank || tokens.at(-1)?.type === "space" };
}

function afterBlock({ type, raw }: Token): Before {
  return { type, blank: /\n[ \t]*\n$/.test(raw) };
}

function needsGap(before: Before, { type }: Token): boolean {
  return before.blank || [before.type, type].some((one) => one === "heading" || one === "table");
}

const LEVELS: readonly (readonly Style[])[] = [["bold", "underline"], ["bold"]];

function markBlock(token: Token, options: BlockOptions): Mark[] {
  const { first, rest } = options;
  const open = options.open && !options.settled;
  const start: Mark = { type: "start", first, rest };
  switch (token.type) {
    case "heading": {
      const styles = LEVELS[Number("depth" in token ? token.depth : 1) - 1] ?? ["bold", "italic"];
      return withStart(
        start,
        inlineWords(childrenOf(token), { ...options, open, styles: [...options.styles, ...styles] }),
      );
    }
    case "paragraph":
    case "text":
      return withStart(start, inlineWords(childrenOf(token), { ...options, open }));
    case "hr":
      return [start, { type: "rule" }];
    case "code":
      return markCode(token, options);
    case "blockquote": {
      const bar: Piece = { text: "│ ", styles: ["dim"] };
      return blockMarks(childrenOf(token), { ...options, first: [...first, bar], rest: [...rest, bar] });
    }
    case "list":
      return markItems("items" in token ? (token.items as readonly Tokens.ListItem[]) : [], options);
    case "table":
      // The widths of its columns are known only at its end.
      return open ? [] : [start, { type: "table", table: tableOf(token as Tokens.Table, options) }];
    default:
      // Such as HTML, which is shown unchanged.
      return [
        start,
        ...token.raw
          .trimEnd()
          .split("\n")
          .flatMap((line, index): Mark[] => [
            ...(index === 0 ? [] : [{ type: "break" } as const]),
            ...inlineWords([{ type: "escape", raw: line, text: line }], { ...options, open: false }),
          ]),
      ];
  }
}

/** A block begins only once its first word is known. */
function withStart(start: Mark, words: readonly (Word | Break)[]): Mark[] {
  return words.length === 0 ? [] : [start, ...words];
}

function markCode(token: Token, { first, rest, open }: BlockOptions): Mark[] {
  const language = "lang" in token && typeof token.lang === "string" ? (/^[\w+#.-]+/.exec(token.lang)?.[0] ?? "") : "";
  const hasEnd = isClosedFence(token.raw);
  const marks: Mark[] = [
    { type: "start", first, rest },
    { type: "code-start", language: printable(language) },
    ...codeLines(token, open && !hasEnd).map((text) => ({ type: "code-line", text: printable(text) }) as const),
  ];
  if (!open || hasEnd) marks.push({ type: "code-end" });
  return marks;
}

/** The lines of a code block; of an open one, only the complete lines. */
function codeLines(token: Token, open: boolean): string[] {
  const fence = openingFence(token.raw);
  if (fence === undefined) {
    const lines = ("text" in token ? String(token.text) : "").trimEnd().split("\n");
    return open ? lines.slice(0, -1) : lines;
  }
  const indent = token.raw.search(/\S/);
  const lines = (isClosedFence(token.raw) ? token.raw.trimEnd() : token.raw).split("\n").slice(1);
  // The last one is the closing fence, what follows the last line feed, or not complete.
  if (open || isClosedFence(token.raw) || lines.at(-1) === "") lines.pop();
  return lines.map((line) => (indent === 0 ? line : line.slice(Math.min(indent, Math.max(0, line.search(/\S|$/))))));
}

/** Whether a code block has its closing fence. */
export function isClosedFence(raw: string): boolean {
  const fence = openingFence(raw);
  const last = raw.trimEnd().split("\n").slice(1).at(-1)?.trim();
  return fence !== undefined && last?.startsWith(fence) === true && last.replaceAll(fence.slice(0, 1), "") === "";
}

/** The fence that a code block begins with; `undefined` if it is only indented. */
export function openingFence(raw: string): string | undefined {
  return /^ {0,3}(`{3,}|~{3,})/.exec(raw)?.[1];
}

function markItems(items: readonly Tokens.ListItem[], options: BlockOptions): Mark[] {
  const marks: Mark[] = [];
  let { first } = options;
  for (const [index, item] of items.entries()) {
    const open = options.open && index === items.length - 1;
    const number = /^\s*(\d+[.)])/.exec(item.raw)?.[1];
    const box = item.task ? (item.checked === true ? "✓ " : "☐ ") : "";
    const bullet: Piece = {
      text: number === undefined ? box || "• " : `${number} ${box}`,
      styles: item.checked === true ? ["green"] : ["cyan"],
    };
    const inner: Piece = { text: " ".repeat(columnsOf(bullet.text)), styles: [] };
    const own = blockMarks(item.tokens, {
      ...options,
      open,
      first: [...first, bullet],
      rest: [...options.rest, inner],
    });
    const previous = items[index - 1];
    if (previous !== undefined && /\n[ \t]*\n$/.test(previous.raw)) marks.push({ type: "gap", margin: options.rest });
    if (own.length > 0) marks.push(...own);
    else if (!open) marks.push({ type: "start", first: [...first, bullet], rest: options.rest });
    first = options.rest;
  }
  return marks;
}

function tableOf({ header, rows, align }: Tokens.Table, options: BlockOptions): Table {
  const cell = ({ tokens }: Tokens.TableCell): Cell => inlineWords(tokens, { ...options, open: false });
  return { header: header.map(cell), rows: rows.map((row) => row.map(cell)), align };
}

function childrenOf(token: Token): readonly Token[] {
  return "tokens" in token ? (token.tokens ?? []) : [];
}
