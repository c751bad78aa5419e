import type { Fields } from "../../internal/json.ts";
import type { Material } from "../read/material.ts";
import { firstCharacters, rawWords, stem } from "../../internal/words.ts";

/** The property that a text is for. */
export interface TextPlace {
  /** Name of the property, or of the list it is in. */
  readonly name: string;
  readonly schema: Fields;
}

/** What kind of text a property holds, and where to find it. */
export interface TextKind {
  readonly label: string;
  readonly from: (material: Material) => readonly string[];
  /** Values for when the conversation offers none. */
  readonly otherwise: readonly string[];
  /** True if only the user can know the value; without one, a function that requires it is not called. */
  readonly isSpecific?: boolean | undefined;
  /** Points that a value of this kind adds to a function that requires one. Default: 2. */
  readonly weight?: number | undefined;
}

interface Row extends TextKind {
  /** Words of the property's name. */
  readonly words: string;
  /** Matches the description of a property whose name is in no row. */
  readonly described?: RegExp | undefined;
}

const topics = ({ quoted, messages, topic }: Material): string[] =>
  [...quoted, ...subject(topic), ...messages].map(excerpt);
const words = ({ quoted, messages, topic }: Material): string[] => {
  const own = [...messages, ...quoted];
  return (own.length > 0 ? own : subject(topic)).map((text) => firstCharacters(text, 2000));
};

// The first row that fits the name wins; then the first that fits the description.
const ROWS: readonly Row[] = [
  {
    label: "web address",
    words: "url uri link href website webpage page",
    described: /\burl\b/i,
    from: ({ urls }) => urls,
    otherwise: ["https://example.com/"],
    isSpecific: true,
    weight: 3,
  },
  {
    label: "e-mail address",
    words: "email mail recipient recipients cc bcc mailto",
    described: /\be-?mail address|recipient/i,
    from: ({ emails }) => emails,
    otherwise: ["ada@example.com"],
    isSpecific: true,
  },
  {
    label: "SQL statement",
    words: "sql statement",
    described: /\bSQL\b|\bSELECT\b/,
    from: ({ sql }) => sql,
    otherwise: ["SELECT 1"],
    isSpecific: true,
    weight: 4,
  },
  {
    label: "command",
    words: "command cmd shell script",
    described: /\bshell\b|command line/i,
    from: ({ commands }) => commands,
    otherwise: ["echo hello"],
    isSpecific: true,
  },
  {
    label: "pattern",
    words: "glob",
    described: /\bglob\b/i,
    from: ({ globs }) => globs,
    otherwise: ["*"],
    isSpecific: true,
  },
  {
    label: "calculation",
    words: "expression formula calculation equation",
    described: /\bexpression to\b|\barithmetic\b/i,
    from: ({ expressions }) => expressions,
    otherwise: ["1 + 1"],
    isSpecific: true,
    weight: 3,
  },
  {
    label: "search text",
    words: "pattern regex regexp",
    described: /regular expression/i,
    from: ({ quoted, codes, topic }) => [...quoted.map(escaped), ...codes, ...subject(topic).map(escaped)],
    otherwise: ["example"],
  },
  {
    label: "folder",
    words: "directory folder dir cwd root",
    described: /^(?:the )?(?:folder|directory)\b/i,
    from: ({ folders }) => folders,
    otherwise: ["."],
  },
  {
    label: "file",
    words: "path file filename filepath document",
    described: /^(?:the )?(?:file|path)\b/i,
    from: ({ paths }) => paths,
    otherwise: ["notes.txt"],
    isSpecific: true,
  },
  {
    label: "time zone",
    words: "timezone zone zones tz",
    described: /\btime ?zones?\b/i,
    from: ({ text }) => [...text.matchAll(/\b[A-Z][a-z]+\/[A-Z]\w+|\bUTC\b/g)].map(([zone]) => zone),
    otherwise: ["Europe/Oslo"],
    isSpecific: true,
    weight: 1,
  },
  {
    label: "currency",
    words: "currency currencies",
    described: /\bcurrency\b|ISO 4217/i,
    from: ({ codes }) => codes.filter((code) => /^[A-Z]{3}$/.test(code)),
    otherwise: ["EUR", "USD"],
    isSpecific: true,
  },
  {
    label: "language",
    words: "language lang locale",
    described: /\blanguage\b/i,
    from: ({ names }) => names,
    otherwise: ["English"],
    isSpecific: true,
  },
  {
    label: "moment",
    words: "datetime timestamp",
    described: /ISO ?8601|date and time/i,
    from: ({ dates, times }) =>
      dates.length > 0 && times.length === 1 ? dates.map((date) => `${date}T${times[0]}`) : [...dates, ...times],
    otherwise: ["now"],
  },
  {
    label: "date",
    words: "date day since until deadline due birthday checkin checkout",
    described: /\bYYYY-MM-DD\b|^(?:the )?date\b/i,
    from: ({ dates }) => dates,
    otherwise: ["2026-11-21"],
  },
  {
    label: "time",
    words: "time hour clock",
    described: /\bHH:MM\b|time of day/i,
    from: ({ times }) => times,
    otherwise: ["09:30"],
  },
  {
    label: "place",
    words: "city place location town country destination region address where origin capital airport",
    described: /\bcity|\btown\b|\bplace\b|\blocation\b|\bcountry\b/i,
    from: ({ names }) => names,
    otherwise: ["Oslo", "Lima", "Nairobi"],
    isSpecific: true,
    weight: 1,
  },
  { label: "question", words: "question", from: ({ text }) => [asQuestion(text)], otherwise: ["What would you like?"] },
  {
    label: "subject",
    words: "title subject summary headline heading",
    from: ({ quoted, text, messages, topic }) =>
      [...quoted, ...aboutIn(text), ...messages, ...subject(titleOf(topic))].map(excerpt),
    otherwise: ["Hello"],
  },
  {
    label: "search query",
    words: "query search topic keyword keywords term terms request q prompt",
    from: topics,
    otherwise: ["example"],
  },
  {
    label: "text",
    words: "content contents text message body description note notes reason comment answer reply fact task item todo",
    from: words,
    otherwise: ["Hello"],
  },
  {
    label: "id",
    words: "id ids identifier number account code ticket order sku issue reference",
    described: /\bid\b|identifier/i,
    from: ({ codes, quoted }) => [...codes, ...quoted],
    otherwise: ["A-1001"],
    isSpecific: true,
    weight: 1,
  },
  {
    label: "name",
    words: "name person user author customer restaurant hotel company who guest contact",
    described: /\bname\b/i,
    from: ({ quoted, names }) => [...quoted, ...names],
    otherwise: ["Ada", "Grace", "Alan"],
  },
];

const BY_WORD: ReadonlyMap<string, Row> = new Map(
  ROWS.toReversed().flatMap((row) => row.words.split(" ").map((word) => [stem(word), row] as const)),
);

const PRECISE: ReadonlyMap<string, string> = new Map([
  ["date", "date"],
  ["email", "e-mail address"],
  ["uri", "web address"],
  ["url", "web address"],
]);

/** The kind of a text property, by its format, its name or its description. */
export function kindOf({ name, schema }: TextPlace): TextKind | undefined {
  const format = PRECISE.get(String(schema["format"]));
  if (format !== undefined) return ROWS.find(({ label }) => label === format);
  const description = descriptionOf(schema).slice(0, 200);
  // The last word names the kind: `file_name`, `to_email`.
  const row = rawWords(name.slice(0, 100))
    .map((word) => BY_WORD.get(stem(word)))
    .findLast(Boolean);
  const described = ROWS.find((candidate) => candidate.described?.test(description) === true);
  // A description may refine a general name such as `path`, `time`, `query` or `id`.
  if (row !== undefined && described !== undefined && REFINED.get(row.label)?.includes(described.label) === true)
    return described;
  return row ?? described;
}

const REFINED: ReadonlyMap<string, readonly string[]> = new Map([
  ["file", ["folder"]],
  ["time", ["moment"]],
  ["date", ["moment"]],
  ["search query", ["SQL statement"]],
  ["id", ["currency", "language"]],
  ["name", ["place", "file"]],
]);

/** The description of a schema; empty if it has none. */
export function descriptionOf(schema: Fields): string {
  return typeof schema["description"] === "string" ? schema["description"] : "";
}

/** A topic, unless it only refers to something earlier. */
function subject(topic: string): string[] {
  return topic === "" || /^(?:it|this|that|them|those|these)\b/i.test(topic) ? [] : [topic];
}

function excerpt(text: string): string {
  return firstCharacters(text.split("\n")[0] ?? "", 200).trim();
}

function aboutIn(text: string): string[] {
  const found =
    /\b(?:about|titled|subject|regarding)\s+(?:the\s+)?["“]?([^".,:;”]{2,80}?)["”]?(?=\s+(?:to|with|saying|for|at|on)\b|[.,:;?]|$)/i.exec(
      text,
    )?.[1];
  return found === undefined ? [] : [`${found.slice(0, 1).toUpperCase()}${found.slice(1)}`];
}

/** `Schedule a meeting with Ada tomorrow` is about a meeting with Ada. */
function titleOf(topic: string): string {
  const title = topic
    .replace(/^(?:schedule|create|add|book|open|make|plan)\s+(?:an?\s+|the\s+)?/i, "")
    .replace(/\s+(?:(?:and|then) add it|today|tomorrow|tonight)\b.*$/i, "");
  return `${title.slice(0, 1).toUpperCase()}${title.slice(1)}`;
}

/** `Ask me what color the door should be` asks: What color should the door be? */
function asQuestion(text: string): string {
  const topic = /\bask (?:me|the user)\s+(?:about\s+)?(.+)$/is.exec(text)?.[1] ?? text;
  const turned = topic
    .replace(
      /^((?:which|what|when|where|how|who)\b.*?)\s+((?:the|your|our) \p{L}+) (should|can|will|must|is|are)\b/iu,
      "$1 $3 $2",
    )
    .replace(/[.?!\s]+$/, "");
  return `${turned.slice(0, 1).toUpperCase()}${firstCharacters(turned.slice(1), 300)}?`;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
