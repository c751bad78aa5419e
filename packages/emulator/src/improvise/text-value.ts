import type { Fields } from "../internal/json.ts";
import type { Random } from "../internal/random.ts";
import { type Material, wordsOf } from "./material.ts";
import { matches } from "./pattern-match.ts";
import { textFromPattern } from "./text-from-pattern.ts";
import type { Work } from "./work.ts";

/** The place a text is for. */
export interface TextPlace {
  /** Name of the property, or of the list it is in. */
  readonly name: string;
  /** Index in a list, so that members differ. */
  readonly index: number;
  readonly schema: Fields;
}

type Source = (material: Material) => readonly string[];

/** Words in a property's name, where to find values for it, and the default. The first matching row is used. */
const KINDS: readonly {
  readonly words: string;
  readonly from: Source;
  readonly otherwise: readonly string[];
  readonly specific?: boolean;
}[] = [
  {
    words: "url uri link href website page",
    from: ({ urls }) => urls,
    otherwise: ["https://example.com/"],
    specific: true,
  },
  { words: "email mail recipient", from: ({ emails }) => emails, otherwise: ["ada@example.com"], specific: true },
  { words: "path file filename document", from: ({ paths }) => paths, otherwise: ["notes.txt"], specific: true },
  {
    words: "directory folder dir root cwd",
    from: ({ paths }) => paths.filter((path) => !/\.\w+$/.test(path)),
    otherwise: ["."],
  },
  {
    words: "city place location town country destination region address where origin capital",
    from: ({ names }) => names,
    otherwise: ["Oslo", "Lima", "Nairobi"],
  },
  { words: "date day since until from to", from: ({ dates }) => dates, otherwise: ["2026-11-21"] },
  {
    words: "timezone zone tz",
    from: ({ text }) => text.match(/\b[A-Z][a-z]+\/[A-Z]\w+\b/g) ?? [],
    otherwise: ["Europe/Oslo"],
  },
  {
    words: "expression formula calculation sum equation",
    from: ({ expressions }) => expressions,
    otherwise: ["1 + 1"],
  },
  {
    words: "query question search topic keyword term request task prompt",
    from: ({ quoted, text }) => [...quoted, excerpt(text)],
    otherwise: ["emulated"],
  },
  {
    words: "content text message body summary description note reason comment answer",
    from: ({ quoted, text }) => [...quoted, excerpt(text)],
    otherwise: ["emulated text"],
  },
  {
    words: "currency",
    from: ({ text }) => text.match(/\b(?:USD|EUR|GBP|NOK|JPY|CHF|SEK)\b/g) ?? [],
    otherwise: ["EUR", "USD"],
  },
  {
    words: "language lang locale",
    from: ({ names }) => names.filter((name) => /^(?:English|German|French|Spanish|Norwegian|Japanese)$/.test(name)),
    otherwise: ["en"],
  },
  {
    words: "id identifier number code ticket order sku",
    from: ({ quoted, text }) => [...(text.match(/\b[A-Z]{1,5}-?\d+\b|\b\d{3,}\b/g) ?? []), ...quoted],
    otherwise: ["A-1001"],
    specific: true,
  },
  {
    words: "name title person user author customer",
    from: ({ quoted, names }) => [...quoted, ...names],
    otherwise: ["Ada", "Grace", "Alan"],
  },
];

const FORMATS: Readonly<Record<string, { readonly from?: Source; readonly otherwise: string }>> = {
  date: { from: ({ dates }) => dates, otherwise: "2026-11-21" },
  "date-time": { from: ({ dates }) => dates.map((date) => `${date}T09:30:00Z`), otherwise: "2026-11-21T09:30:00Z" },
  time: { otherwise: "09:30:00Z" },
  duration: { otherwise: "PT1H" },
  email: { from: ({ emails }) => emails, otherwise: "ada@example.com" },
  "idn-email": { otherwise: "ada@example.com" },
  uri: { from: ({ urls }) => urls, otherwise: "https://example.com/" },
  url: { from: ({ urls }) => urls, otherwise: "https://example.com/" },
  "uri-reference": { otherwise: "/example" },
  uuid: { otherwise: "7d0f3c1e-52a4-4b8e-9c31-0a6b5f2d8e14" },
  hostname: { otherwise: "example.com" },
  ipv4: { otherwise: "192.0.2.1" },
  ipv6: { otherwise: "2001:db8::1" },
};

/** Text for a property: taken from the conversation if something fits, and always valid for the schema. */
export function textValue(place: TextPlace, material: Material, random: Random, work: Work): string {
  const { schema, index } = place;
  const format = typeof schema["format"] === "string" ? FORMATS[schema["format"]] : undefined;
  const pattern = typeof schema["pattern"] === "string" ? schema["pattern"] : undefined;
  // A format comes with zod's own, very long pattern; the values above are known to satisfy both.
  if (format !== undefined) return format.from?.(material)[index] ?? format.otherwise;
  const candidates = candidatesFor(place, material);
  if (pattern !== undefined) {
    const fits = candidates.find(
      (candidate) => matches(pattern, candidate, work) && fitLength(candidate, schema, work) === candidate,
    );
    return fits ?? textFromPattern(pattern, random, work) ?? candidates[0] ?? "emulated";
  }
  return fitLength(candidates[index % Math.max(1, candidates.length)] ?? "emulated", schema, work);
}

/** False if a property needs specific information (a path, an address, an id) that the conversation doesn't contain. */
export function hasMaterialFor(place: TextPlace, material: Material): boolean {
  const kind = kindOf(place);
  return kind?.specific !== true || kind.from(material).length > 0;
}

/** The different values that the conversation offers for a property. */
export function materialFor(place: TextPlace, material: Material): readonly string[] {
  return kindOf(place)?.from(material) ?? [];
}

function candidatesFor(place: TextPlace, material: Material): readonly string[] {
  const kind = kindOf(place);
  const { quoted, names, text } = material;
  const words = text.match(/\p{L}{5,}/gu) ?? [];
  const found =
    kind === undefined ? [...quoted, ...names, ...words, "emulated"] : [...kind.from(material), ...kind.otherwise];
  return [...new Set(found)];
}

function kindOf({ name, schema }: TextPlace): (typeof KINDS)[number] | undefined {
  const find = (text: string): (typeof KINDS)[number] | undefined => {
    const words = wordsOf(text);
    return KINDS.find((kind) => [...wordsOf(kind.words)].some((word) => words.has(word)));
  };
  return find(name) ?? (typeof schema["description"] === "string" ? find(schema["description"]) : undefined);
}

function fitLength(text: string, schema: Fields, work: Work): string {
  const min = Number(schema["minLength"] ?? 0);
  const max = Number(schema["maxLength"] ?? Number.POSITIVE_INFINITY);
  const characters = Array.from(text);
  if (characters.length > max) return characters.slice(0, max).join("");
  if (characters.length >= min) return text;
  return text.padEnd(text.length + work.characters(min - characters.length), "·emulated");
}

function excerpt(text: string): string {
  const line = text.split("\n")[0] ?? "";
  return Array.from(line).slice(0, 120).join("").trim();
}
