import { expressionsIn, operandsIn } from "./arithmetic.ts";
import { datesIn, timesIn } from "./moments.ts";
import { namesIn } from "./names.ts";
import { currenciesIn, languagesIn, zonesIn } from "./places.ts";
import { commandIn, listIn, saidIn, sqlIn, swapIn, topicOf } from "./phrases.ts";
import { numbersIn, type NumberFound } from "./numbers.ts";

/** What a text offers for arguments and answers, each list in order of appearance without duplicates. */
export interface Material {
  readonly paths: readonly string[];
  /** Folders that the text calls so: `the src folder`, `docs/`. */
  readonly folders: readonly string[];
  readonly globs: readonly string[];
  readonly urls: readonly string[];
  readonly emails: readonly string[];
  /** As `2026-12-24` where the text says which day, otherwise as said: `tomorrow`. */
  readonly dates: readonly string[];
  /** As `14:30`. */
  readonly times: readonly string[];
  readonly zones: readonly string[];
  readonly currencies: readonly string[];
  readonly languages: readonly string[];
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
  /** What is replaced, and by what. */
  readonly swap: readonly [string, string] | undefined;
  /** Words that someone is to be told, or that are to be kept. */
  readonly said: readonly string[];
  /** The items of a list after a colon. */
  readonly items: readonly string[];
  /** What the text is about, without the words that ask for it. */
  readonly topic: string;
  /** The text without what is in the lists above other than names: words to compare. */
  readonly plain: string;
  readonly text: string;
}

const MAX_TEXT = 8_000;
/** A longer run of characters without a space is cut: it is data, not language. */
const MAX_TOKEN = 300;
const URL_PATTERN = /https?:\/\/[^\s"'<>)\]]+/g;
const EMAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;
const QUOTED = /"([^"\n]{1,300})"|“([^”\n]{1,300})”|`([^`\n]{1,300})`|(?<=^|\s)'([^'\n]{1,300})'(?=[\s.,;:!?]|$)/g;
const GLOB = /(?<![\w/])[\w./-]*\*[\w./*{},-]*/g;
const PATH =
  /(?:~|\.{1,2})?(?:\/[\w.@-]+)+\/?|(?<![\w@-])[\w@-]+(?:\/[\w.@-]+)+\/?|(?<![\w.-])\.?[\w-]+(?:\.[\w-]+)*\.(?:[a-z]{2,4}|[ch]|json5|ya?ml|lock|toml)\b|(?<![\w.-])(?:LICENSE|Makefile|Dockerfile|CHANGELOG)(?![\w.-])/gi;
const DOMAIN = /(?<![\w@./-])(?:www\.)?[a-z\d-]+\.(?:com|org|net|dev|io|ai)(?:\/[^\s"'<>)\]]*)?/gi;

const ORDINALS = ["first", "second", "third", "fourth", "fifth"];
/** Products that are called like files. */
const PRODUCT = /^(?:Node|Next|Nuxt|Vue|React|Express|Three|Ember|Chart|Moment|Alpine)\.js$/;
const EXTENSIONS: ReadonlyMap<string, string> = new Map(
  "typescript ts|javascript js|python py|markdown md|json json|yaml yaml|css css|html html|csv csv|pdf pdf|rust rs|java java|text txt"
    .split("|")
    .map((row) => {
      const [language = "", extension = ""] = row.split(" ");
      return [language, extension];
    }),
);
const FILES_OF = new RegExp(String.raw`\b(${[...EXTENSIONS.keys()].join("|")})(?: source)? files\b`, "gi");

/** Reads a text; only its first 8,000 characters, and 300 of each word. */
export function materialOf(given: string): Material {
  const text = given.slice(0, MAX_TEXT).replaceAll(/\S{301,}/g, (token) => token.slice(0, MAX_TOKEN));
  const quoted = matchesOf(text, QUOTED);
  const unquoted = text.replaceAll(QUOTED, " ");
  const urls = matchesOf(text, URL_PATTERN).map((url) => url.replace(/[.,;:!?]+$/, ""));
  const emails = matchesOf(text.replaceAll(URL_PATTERN, " "), EMAIL);
  const bare = text.replaceAll(URL_PATTERN, " ").replaceAll(EMAIL, " ");
  const domains = matchesOf(bare, DOMAIN);
  const local = bare.replaceAll(DOMAIN, " ");
  const globs = unique([
    ...matchesOf(local, GLOB).filter((glob) => /[\w/.]/.test(glob) && !/^\d*\*+\d*$/.test(glob)),
    ...matchesOf(local, FILES_OF).map((language) => `*.${EXTENSIONS.get(language.toLowerCase())}`),
  ]);
  const paths = matchesOf(local.replaceAll(GLOB, " "), PATH)
    .map((path) => path.replace(/[./]+$/, ""))
    .filter(
      (path) =>
        path !== "" &&
        !PRODUCT.test(path) &&
        !/^[\d/.]+$|^(?:and\/or|e\.g|i\.e|km\/h)$/i.test(path) &&
        zonesIn(path).length === 0,
    );
  const { dates, rest: undated } = datesIn(local);
  const { times, rest: untimed } = timesIn(undated);
  const expressions = expressionsIn(untimed);
  const figures = untimed.replaceAll(PATH, " ").replaceAll(QUOTED, " ");
  return {
    paths,
    folders: unique([
      ...matchesOf(unquoted, /\b(?:the\s+)?([\w./-]+)\s+(?:folder|directory)\b/gi).filter(
        (word) => !/^(?:this|that|the|a|my|our|current|same|each|every|which|new|root|working)$/i.test(word),
      ),
      ...matchesOf(unquoted, /\b(?:folder|directory)\s+(?:called\s+|named\s+)?([\w-]+\/?[\w./-]*)/gi).filter(
        (word) =>
          !/^(?:and|or|is|are|has|have|with|to|of|that|which|as|for|in|on|please|from|called|named|there)$/i.test(word),
      ),
      ...paths.filter((path) => !/\.\w+$/.test(path)),
      ...matchesOf(
        unquoted,
        /\b(?:in|under|inside|show|ls|show me)\s+(?:the\s+)?(src|docs|test|tests|packages|examples|lib|dist|scripts|bin)\b/gi,
      ),
    ]).map((path) => path.replace(/(?<=.)\/$/, "")),
    globs,
    urls: unique([...urls, ...domains.map((domain) => `https://${domain.replace(/[.,;:!?]+$/, "")}`)]),
    emails,
    dates,
    times,
    zones: unique(zonesIn(local)),
    currencies: unique(currenciesIn(local)),
    languages: languagesIn(local),
    quoted,
    numbers: numbersIn(operandsIn(figures)),
    expressions,
    names: namesIn(figures),
    codes: unique([
      ...matchesOf(figures, /\b[A-Z]{1,5}-?\d+\b/g),
      ...matchesOf(figures, /\b(?:item|number|id|ticket|order|task|todo|note|issue|invoice)\s+#?([\w-]*\d[\w-]*)\b/gi),
      ...matchesOf(figures, /#(\d+)\b/g),
      ...matchesOf(figures, /\b(first|second|third|fourth|fifth)\s+(?:item|to-?do|task|step)\b/gi).map((word) =>
        String(ORDINALS.indexOf(word.toLowerCase()) + 1),
      ),
      ...matchesOf(figures, /(?<![\w-])\d{3,}(?![\w-])/g),
      ...matchesOf(figures, /\b[a-z]+(?:[A-Z][a-z\d]*)+\b|\b[a-z\d]+(?:_[a-z\d]+)+\b|\b[A-Z][A-Z_]{2,}\b/g),
    ]),
    sql: sqlIn(text),
    commands: commandIn(text, quoted),
    swap: swapIn(text),
    said: saidIn(text),
    items: listIn(text),
    topic: topicOf(text),
    plain: unquoted.replaceAll(URL_PATTERN, " ").replaceAll(EMAIL, " ").replaceAll(DOMAIN, " ").replaceAll(PATH, " "),
    text,
  };
}

/** What a pattern finds: its first group that matched, or all of it. */
export function matchesOf(text: string, pattern: RegExp): string[] {
  return unique(
    [...text.matchAll(pattern)].map((match) => match.slice(1).find((group) => group !== undefined) ?? match[0]),
  );
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)].filter((value) => value !== "");
}
