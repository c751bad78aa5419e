import type { Piece, Style } from "./inline.ts";

const KEYWORDS = new Set(
  "abstract and as async await begin bool boolean break case catch char class const continue create def default defer del delete do double done elif else end enum esac except export extends extern False false fi final finally float fn for from func function go goto group if impl implements import in insert int interface into is join lambda let long loop match mod module mut namespace new nil None not null of on operator or order override package pass private protected pub public raise readonly ref return select self set short sizeof static struct super switch table template then this throw throws trait True true try type typedef typeof undefined union unless unsigned until update use using val values var virtual void volatile when where while with yield".split(
    " ",
  ),
);

interface Grammar {
  /** Comments to the end of the line. */
  readonly comment: string;
  /** Whether comments between slashes and stars may span lines. */
  readonly blocks: boolean;
  readonly anyCase?: boolean;
}

const SLASHES: Grammar = { comment: "//", blocks: true };
const HASH: Grammar = { comment: "#", blocks: false };
const DASHES: Grammar = { comment: "--", blocks: true, anyCase: true };

const LANGUAGES: readonly (readonly [names: string, grammar: Grammar])[] = [
  [
    "c c++ cpp cc h cs csharp css dart go golang java javascript js json json5 jsonc jsx kotlin kt php rust rs scala scss swift ts tsx typescript",
    SLASHES,
  ],
  ["bash sh shell zsh dockerfile make makefile perl py python r rb ruby toml yaml yml", HASH],
  ["sql postgresql sqlite mysql lua", DASHES],
];

/** Colors comments, strings, numbers and keywords: line by line, and without a grammar of each language. */
export class Highlighter {
  readonly #grammar: Grammar | undefined;
  readonly #isDiff: boolean;
  readonly #styles: readonly Style[];
  #isInComment = false;

  constructor(language: string, styles: readonly Style[]) {
    const name = language.toLowerCase();
    this.#isDiff = name === "diff" || name === "patch";
    this.#grammar = LANGUAGES.find(([names]) => names.split(" ").includes(name))?.[1];
    this.#styles = styles;
  }

  /** The next line of the code. */
  line(text: string): Piece[] {
    if (this.#isDiff)
      return [this.#piece(text, text.startsWith("+") ? "green" : text.startsWith("-") ? "red" : undefined)];
    const grammar = this.#grammar;
    if (grammar === undefined) return [this.#piece(text)];
    const pieces: Piece[] = [];
    let plain = "";
    const add = (piece: string, style: Style | undefined): void => {
      if (style === undefined) plain += piece;
      else {
        if (plain !== "") pieces.push(this.#piece(plain));
        plain = "";
        pieces.push(this.#piece(piece, style));
      }
    };
    let rest = text;
    while (rest !== "") {
      const [piece, style] = this.#next(rest, grammar, text[text.length - rest.length - 1] ?? " ");
      add(piece, style);
      rest = rest.slice(piece.length);
    }
    if (plain !== "") pieces.push(this.#piece(plain));
    return pieces;
  }

  #next(rest: string, grammar: Grammar, before: string): readonly [string, Style | undefined] {
    const { comment, blocks, anyCase = false } = grammar;
    if (this.#isInComment || (blocks && rest.startsWith("/*"))) {
      const end = rest.indexOf("*/", this.#isInComment ? 0 : 2);
      this.#isInComment = end === -1;
      return [end === -1 ? rest : rest.slice(0, end + 2), "dim"];
    }
    // A # within a word is no comment.
    if (rest.startsWith(comment) && (comment !== "#" || /\s/.test(before))) return [rest, "dim"];
    const string = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)/.exec(rest)?.[0];
    if (string !== undefined) return [string, "green"];
    const word = /^[\p{L}_$][\p{L}\p{N}_$]*/u.exec(rest)?.[0];
    if (word !== undefined) return [word, KEYWORDS.has(anyCase ? word.toLowerCase() : word) ? "cyan" : undefined];
    const number = /^\d[\w.]*/.exec(rest)?.[0];
    if (number !== undefined) return [number, "yellow"];
    return [/^(?:\s+|.)/u.exec(rest)?.[0] ?? rest, undefined];
  }

  #piece(text: string, style?: Style): Piece {
    return { text, styles: style === undefined ? this.#styles : [...this.#styles, style] };
  }
}
