import { momentsIn } from "./moments.ts";
import { namesIn } from "./names.ts";
import { type NumberFound, numbersIn } from "./numbers.ts";
import { commandIn, listIn, messagesIn, sqlIn, topicOf } from "./phrases.ts";

/** Values in a text for arguments and answers, each list in order of appearance without duplicates. */
export interface Material {
  readonly paths: readonly string[];
  /** Paths that the text marks as folders: `the src folder`, `docs/`. */
  readonly folders: readonly string[];
  readonly globs: readonly string[];
  readonly urls: readonly string[];
  readonly emails: readonly string[];
  /** As `2026-12-24`. */
  readonly dates: readonly string[];
  /** As `14:30`. */
  readonly times: readonly string[];
  readonly quoted: readonly string[];
  readonly numbers: readonly NumberFound[];
  /** Expressions to evaluate, such as `17 * 23`. */
  readonly expressions: readonly string[];
  /** Capitalized words inside sentences: places, people, products. */
  readonly names: readonly string[];
  /** Words that look like an identifier or a code: `A-1001`, `createAgent`. */
  readonly codes: readonly string[];
  readonly sql: readonly string[];
  readonly commands: readonly string[];
  /** Texts to send to someone or to keep. */
  readonly messages: readonly string[];
  /** The items of a list after a colon. */
  readonly items: readonly string[];
  /** The subject of the text, without the words that ask for it. */
  readonly topic: string;
  /** The text without quotes, addresses and paths: words to compare. */
  readonly plain: string;
  readonly text: string;
}

const MAX_TEXT = 8_000;
/** A longer run of characters without a space is cut: it is data, not language. */
const MAX_TOKEN = 300;
const URLS = /https?:\/\/[^\s"'<>)\]]+/g;
const EMAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;
const QUOTED = /"([^"\n]{1,300})"|“([^”\n]{1,300})”|`([^`\n]{1,300})`|(?<=^|\s)'([^'\n]{1,300})'(?=[\s.,;:!?]|$)/g;
const GLOB = /(?<![\w/])[\w./-]*\*[\w./*{},-]*/g;
const PATH =
  /(?:~|\.{1,2})?(?:\/[\w.@-]+)+\/?|(?<![\w@-])[\w@-]+(?:\/[\w.@-]+)+\/?|(?<![\w.-])\.?[\w-]+(?:\.[\w-]+)*\.(?:[a-z]{2,4}|[ch])\b|(?<![\w.-])(?:LICENSE|Makefile|Dockerfile|CHANGELOG)(?![\w.-])/gi;
const FOLDER =
  /\b(?!this\b|the\b|a\b|my\b|our\b)([\w./-]+)\s+(?:folder|directory)\b|\b(?:folder|directory)\s+([\w-]+\/?[\w./-]*)|\b(?:files|entries) (?:in|under) (?!the\b|this\b)([\w./-]+)|\bin (src|docs|tests?|packages|examples)\b/gi;
const CODES =
  /\b[A-Z]{1,5}-?\d+\b|\b(?:item|number|id|ticket|order|task|issue|invoice)\s+#?([\w-]*\d[\w-]*)\b|#(\d+)\b|(?<![\w-])\d{3,}(?![\w-])|\b[a-z]+(?:[A-Z][a-z\d]*)+\b|\b[a-z\d]+(?:_[a-z\d]+)+\b|\b[A-Z][A-Z_]{2,}\b/g;
const EXPRESSION = /(?<![\w.-])\(*-?\d+(?:\.\d+)?(?:\s*[-+*/^×÷]\s*\(*-?\d+(?:\.\d+)?\)*)+/g;

const OPERATORS: ReadonlyMap<string, string> = new Map(
  Object.entries({ plus: "+", minus: "-", times: "*", "divided by": "/" }),
);
const SPOKEN = /\b(?:plus|minus|times|divided by)\b(?=\s+\d)/gi;

/** Reads the first 8,000 characters of a text, and 300 of each word. */
export function materialOf(given: string): Material {
  const text = given.slice(0, MAX_TEXT).replaceAll(/\S{301,}/g, (token) => token.slice(0, MAX_TOKEN));
  const quoted = matchesOf(text, QUOTED);
  const unquoted = text.replaceAll(QUOTED, " ");
  const local = text.replaceAll(URLS, " ").replaceAll(EMAIL, " ");
  const paths = matchesOf(local.replaceAll(GLOB, " "), PATH)
    .map((path) => path.replace(/[./]+$/, ""))
    .filter((path) => !/^[\d/.]*$|^(?:and\/or|e\.g|i\.e|km\/h)$/i.test(path));
  const { dates, times, rest } = momentsIn(local);
  const figures = rest.replaceAll(PATH, " ").replaceAll(QUOTED, " ");
  return {
    paths,
    folders: unique(
      [...matchesOf(unquoted, FOLDER), ...paths.filter((path) => !/\.\w+$/.test(path))].map((path) =>
        path.replace(/(?<=.)[/.]+$/, ""),
      ),
    ),
    globs: matchesOf(local, GLOB).filter((glob) => /[\w/.]/.test(glob) && !/^\d*\*+\d*$/.test(glob)),
    urls: matchesOf(text, URLS).map((url) => url.replace(/[.,;:!?]+$/, "")),
    emails: matchesOf(text.replaceAll(URLS, " "), EMAIL),
    dates,
    times,
    quoted,
    numbers: numbersIn(figures),
    expressions: matchesOf(
      rest.replaceAll(SPOKEN, (word) => OPERATORS.get(word.toLowerCase()) ?? word),
      EXPRESSION,
    ),
    names: namesIn(figures),
    codes: matchesOf(figures, CODES),
    sql: sqlIn(text),
    commands: commandIn(text, quoted),
    messages: messagesIn(text),
    items: listIn(text),
    topic: topicOf(text),
    plain: unquoted.replaceAll(URLS, " ").replaceAll(EMAIL, " ").replaceAll(PATH, " "),
    text,
  };
}

/** The matches of a pattern: the first group that matched, or else the whole match. */
function matchesOf(text: string, pattern: RegExp): string[] {
  return unique(
    [...text.matchAll(pattern)].map((match) => match.slice(1).find((group) => group !== undefined) ?? match[0]),
  );
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)].filter((value) => value !== "");
}
