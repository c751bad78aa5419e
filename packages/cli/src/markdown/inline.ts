import { styleText } from "node:util";
import { isWebUrl } from "@pollux/core/conversation";
import type { Token } from "marked";
import { columnsOf, graphemesOf, isWide, printable } from "../terminal-text.ts";

/** A style of a terminal, by its name in `styleText`. */
export type Style = "bold" | "cyan" | "dim" | "green" | "italic" | "red" | "strikethrough" | "underline" | "yellow";

/** Text in one style. */
export interface Piece {
  readonly text: string;
  readonly styles: readonly Style[];
  /** Where a click leads; absent where a terminal can't be clicked. */
  readonly href?: string | undefined;
}

/** A piece as a terminal shows it. */
export function paint({ text, styles, href }: Piece): string {
  const styled = styles.length === 0 ? text : styleText([...styles], text, { validateStream: false });
  return href === undefined ? styled : `\u001b]8;;${href}\u0007${styled}\u001b]8;;\u0007`;
}

/** Pieces without white space between them; lines break only between words. */
export interface Word {
  readonly type: "word";
  readonly pieces: readonly Piece[];
  readonly columns: number;
  /** Whether white space precedes it; East Asian characters are words without any. */
  readonly space: boolean;
}

/** A line break in a paragraph. */
export interface Break {
  readonly type: "break";
}

/** How inline text is read. */
export interface InlineOptions {
  /** Whether more text may follow: leaves out anything that a later character could change. */
  readonly open: boolean;
  readonly styles: readonly Style[];
  /** Whether the terminal shows links. */
  readonly links: boolean;
}

/** The words of inline tokens. */
export function inlineWords(tokens: readonly Token[], options: InlineOptions): (Word | Break)[] {
  const words = new WordCollector();
  const isKnown = collect(tokens, { ...options, href: undefined }, words);
  return words.end(isKnown);
}

interface Context extends InlineOptions {
  readonly href: string | undefined;
}

/** @returns False where the rest is not known yet. */
function collect(tokens: readonly Token[], context: Context, words: WordCollector): boolean {
  const styled = (...styles: Style[]): Context => ({
    ...context,
    styles: [...new Set([...context.styles, ...styles])],
  });
  for (const token of tokens) {
    if (context.open && hidesOpener(token)) return false;
    switch (token.type) {
      case "text": {
        const text = decodeEntities(token.raw);
        const end = context.open ? openerIn(token.raw) : -1;
        words.add(end === -1 ? text : decodeEntities(token.raw.slice(0, end)), context);
        if (end !== -1) return false;
        break;
      }
      case "strong":
        collect(token.tokens ?? [], { ...styled("bold"), open: false }, words);
        break;
      case "em":
        collect(token.tokens ?? [], { ...styled("italic"), open: false }, words);
        break;
      case "del":
        collect(token.tokens ?? [], { ...styled("strikethrough"), open: false }, words);
        break;
      case "codespan":
        words.add(textOf(token), styled("cyan"));
        break;
      // The bullet shows it.
      case "checkbox":
        break;
      case "br":
        words.break();
        break;
      case "html":
        if (/^<br\s*\/?>$/i.test(token.raw)) words.break();
        else words.add(token.raw, context);
        break;
      case "link":
      case "image":
        addLink(token, styled("underline"), words);
        break;
      case "escape":
        words.add(textOf(token), context);
        break;
      default:
        words.add(token.raw, context);
    }
  }
  return true;
}

/** Adds a link's text and its target: the address, or only its host in a terminal that shows links. */
function addLink(token: Token, context: Context, words: WordCollector): void {
  const href = printable(decodeEntities("href" in token ? String(token.href) : ""));
  const isWeb = isWebUrl(href);
  const url = isWeb ? new URL(href) : undefined;
  const target = context.links && url !== undefined ? url.href : undefined;
  const children = token.type === "link" ? (token.tokens ?? []) : [];
  const text = textOf(token);
  const name = text.trim() === "" ? href : text;
  if (children.length > 0 && name === text) collect(children, { ...context, open: false, href: target }, words);
  else words.add(name, { ...context, href: target });
  // A name before an @ can look like a host.
  const isItself = [href, href.replace(/^mailto:/, "")].includes(decodeEntities(name)) || `http://${name}` === href;
  if (href === "" || (isItself && (url?.username ?? "") === "")) return;
  const styles = context.styles.filter((style) => style !== "underline");
  words.add(` (${target === undefined ? href : (url?.host ?? "")})`, { ...context, styles: [...styles, "dim"] });
}

/** Gathers pieces into words. */
class WordCollector {
  readonly #words: (Word | Break)[] = [];
  #pieces: Piece[] = [];
  #space = false;

  add(text: string, { styles, href }: Context): void {
    for (const run of printable(text).split(/(\s+)/)) {
      if (run === "") continue;
      if (/^\s/.test(run) && run !== "\u00a0") {
        this.#flush();
        this.#space = true;
      } else this.#addRun(run, styles, href);
    }
  }

  break(): void {
    this.#flush();
    this.#space = false;
    this.#words.push({ type: "break" });
  }

  /** @param isKnown - False if the last word may continue. */
  end(isKnown: boolean): (Word | Break)[] {
    if (isKnown) this.#flush();
    return this.#words;
  }

  #addRun(run: string, styles: readonly Style[], href: string | undefined): void {
    if (!isWide(run) && !isWide(this.#pieces.at(-1)?.text ?? "")) return this.#append({ text: run, styles, href });
    for (const text of graphemesOf(run)) {
      // A line may break before and after an East Asian character, but not before a closing mark.
      if (beginsWord(text) || (!isWide(text) && isWide(this.#pieces.at(-1)?.text ?? ""))) this.#flush();
      this.#append({ text, styles, href });
    }
  }

  /** Joins adjacent pieces of one style. */
  #append(piece: Piece): void {
    const last = this.#pieces.at(-1);
    if (last === undefined || last.href !== piece.href || last.styles.join() !== piece.styles.join())
      this.#pieces.push(piece);
    else this.#pieces.splice(-1, 1, { ...last, text: last.text + piece.text });
  }

  #flush(): void {
    if (this.#pieces.length === 0) return;
    const columns = columnsOf(this.#pieces.map(({ text }) => text).join(""));
    this.#words.push({ type: "word", pieces: this.#pieces, columns, space: this.#space });
    this.#pieces = [];
    this.#space = false;
  }
}

/** Whether a line may be broken before a character without white space: an East Asian one that is no closing mark. */
export function beginsWord(character: string): boolean {
  return isWide(character) && !/^[、。，．！？：；）」』】〉》]/u.test(character);
}

/**
 * A mark that a later character could turn into the beginning of emphasis, code, a link or a tag. If white space follows it, or
 * a word precedes an underscore, it is only a character.
 */
const OPENER = /\*+(?![*\s])|~+(?![~\s])|(?<![\p{L}\p{N}_])_+(?![_\s])|`|!?\[(?![^[\]]*\](?![([]))|<(?=[a-z/!?])/iu;

function openerIn(text: string): number {
  return text.search(OPENER);
}

/** Code, links and tags bind more tightly than emphasis: one that begins inside of an emphasis undoes it. */
function hidesOpener(token: Token): boolean {
  if (token.type !== "strong" && token.type !== "em" && token.type !== "del") return false;
  return (token.tokens ?? []).some((each) =>
    each.type === "text" ? /`|<(?=[a-z/!?])|!?\[(?![^[\]]*\](?![([]))/i.test(each.raw) : hidesOpener(each),
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  apos: "'",
  copy: "©",
  gt: ">",
  hellip: "…",
  lt: "<",
  mdash: "—",
  nbsp: "\u00a0",
  ndash: "–",
  quot: '"',
};

function decodeEntities(text: string): string {
  return text.replaceAll(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]+));/gi, (entity, decimal, hex, name) => {
    const code = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : undefined;
    if (code === undefined) return ENTITIES[String(name)] ?? entity;
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : entity;
  });
}

function textOf(token: Token): string {
  return "text" in token && typeof token.text === "string" ? token.text : token.raw;
}
