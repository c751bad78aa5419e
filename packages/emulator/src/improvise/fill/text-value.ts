import type { Material } from "../read/material.ts";
import { rawWords, stem } from "../../internal/words.ts";
import type { Filling } from "./fill-schema.ts";
import { fitsSchema } from "./fits-schema.ts";
import { matches } from "./pattern-match.ts";
import { descriptionOf, kindOf, type TextKind, type TextPlace } from "./text-kinds.ts";
import { thingsIn, type Words, withoutVerb } from "../read/things.ts";
import { textFromPattern } from "./text-from-pattern.ts";
import type { Work } from "./work.ts";

interface IndexedPlace extends TextPlace {
  /** Index in a list, so that members differ. */
  readonly index: number;
}

const FORMATS: Readonly<
  Record<string, { readonly from?: (material: Material) => readonly string[]; readonly otherwise: string }>
> = {
  date: { from: ({ dates }) => dates, otherwise: "2026-11-21" },
  "date-time": {
    from: ({ dates, times }) => {
      if (dates.length === 0) return times.map((time) => `2026-11-21T${time}:00Z`);
      return dates.map((date, index) => `${date}T${times[index] ?? times[0] ?? "09:30"}:00Z`);
    },
    otherwise: "2026-11-21T09:30:00Z",
  },
  time: { from: ({ times }) => times.map((time) => `${time}:00Z`), otherwise: "09:30:00Z" },
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

const TO = new Set("to into target destination dest recipient end until".split(" "));
const FROM = new Set("from source origin base start since".split(" "));

/** Text for a property: taken from the conversation if something fits, and always valid for the schema. */
export function textValue(place: IndexedPlace, options: Filling): string {
  const { schema, index } = place;
  const { material, elsewhere = [], random, work } = options;
  const format = typeof schema["format"] === "string" ? FORMATS[schema["format"]] : undefined;
  const pattern = typeof schema["pattern"] === "string" ? schema["pattern"] : undefined;
  if (format !== undefined) {
    // A format comes with zod's own, very long pattern; these values are known to satisfy both.
    const { pattern: _pattern, ...rest } = schema;
    const offers = [material, ...elsewhere].map((source) =>
      (format.from?.(source) ?? []).filter((value) => fitsSchema(value, { ...rest, type: "string" }, work)),
    );
    const found = offers.find((values) => values.length > 0) ?? [];
    return chosen(found, place, options) ?? found[index] ?? format.otherwise;
  }
  const candidates = candidatesFor(place, options);
  if (pattern !== undefined) {
    const fits = candidates.find(
      (candidate) => matches(pattern, candidate, work) && fitLength(candidate, schema, work) === candidate,
    );
    return fits ?? textFromPattern(pattern, random, work) ?? candidates[0] ?? "example";
  }
  return fitLength(candidates[0] ?? "example", schema, work);
}

function candidatesFor(place: IndexedPlace, options: Filling): readonly string[] {
  const { material, elsewhere = [], naming } = options;
  const kind = kindOf(place) ?? rangeKind(place, material);
  const things = naming === undefined || !takesThing(kind) ? [] : thingsIn(material, naming);
  if (kind === undefined) {
    const { quoted, messages, names } = material;
    const label = rawWords(place.name).join(" ");
    const numbered = `${label.slice(0, 1).toUpperCase()}${label.slice(1) || "tem"} ${place.index + 1}`;
    if (things.length > 0) return [things[place.index % things.length] ?? ""];
    const offered = place.index === 0 && naming === undefined ? [...quoted, ...messages, ...names] : [];
    return [...offered, numbered.replace(/^tem /, "Item "), "Example"].slice(0, 1);
  }
  const offers = [material, ...elsewhere].map((source) => kind.from(source));
  const read = offers.find((values) => values.length > 0) ?? things;
  const isGiven = material.quoted.length + material.messages.length + material.items.length > 0;
  const found =
    kind.label === "text" && naming !== undefined && !isGiven
      ? read.map((text) => withoutCount(withoutVerb(text, naming), naming))
      : read;
  if (kind.label === "search query" && naming !== undefined && material.quoted.length === 0)
    return [...found.map((text) => withoutNoun(text, naming)), ...kind.otherwise];
  const rotated = [...found.slice(place.index % Math.max(1, found.length)), ...found];
  if (place.index > 0) return [...new Set([...rotated, ...kind.otherwise])];
  const best = chosen(found, place, options);
  // A route doesn't end where it begins.
  const others = roleOf(place.name) === undefined ? found : [];
  return [...new Set([...(best === undefined ? [] : [best]), ...others, ...kind.otherwise])];
}

/** `books by Frank Herbert` becomes his name for a function that finds only books. */
function withoutNoun(text: string, naming: Words): string {
  const [all = "", noun = ""] =
    /^(?:an?\s+|the\s+)?(\p{L}+)\s+(?:by|called|named|titled|about|on)\s+(?=\S)/u.exec(text) ?? [];
  return naming.has(stem(noun.toLowerCase())) ? text.slice(all.length) : text;
}

/** `two notebooks` becomes `notebooks` for a function that also takes their number. */
function withoutCount(text: string, naming: Words): string {
  const takesCount = ["quantity", "count", "amount", "pieces"].some((word) => naming.has(stem(word)));
  if (!takesCount) return text;
  return text.replace(
    /^(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve)\s+(?:pieces? of\s+)?(?=\p{L})/iu,
    "",
  );
}

/** Whether the subject of a request is the best text of this kind. */
export function takesThing(kind: TextKind | undefined): boolean {
  return kind === undefined || kind.label === "name";
}

/** The value with the right role (`from Oslo to Rome`) that no other property has yet. */
function chosen(values: readonly string[], { name }: TextPlace, { material, used }: Filling): string | undefined {
  const free = values.filter((value) => !used.has(value));
  const isTo = (value: string): boolean => {
    const at = material.text.indexOf(value);
    // The text may spell a date differently.
    if (at < 0) return /\b(?:until|till|before)\b/i.test(material.text);
    return (
      at > 0 && /\b(?:to|into|in|until|till|for)\s+(?:the\s+)?$/i.test(material.text.slice(Math.max(0, at - 12), at))
    );
  };
  const role = roleOf(name);
  const found =
    role === "to"
      ? (free.find(isTo) ?? free.at(-1))
      : role === "from"
        ? (free.find((value) => !isTo(value)) ?? (free.length > 1 ? free[0] : undefined))
        : free[0];
  if (found !== undefined) used.add(found);
  return found ?? (role === undefined ? values[0] : undefined);
}

function roleOf(name: string): "from" | "to" | undefined {
  const words = rawWords(name);
  if (words.some((word) => TO.has(word))) return "to";
  return words.some((word) => FROM.has(word)) ? "from" : undefined;
}

/** `from` and `to` may be places, dates or times, depending on the text. */
function rangeKind({ name, schema }: TextPlace, material: Material): TextKind | undefined {
  if (roleOf(name) === undefined) return undefined;
  const isMoment = /same format|time|date/i.test(descriptionOf(schema));
  if (material.emails.length > 0 && !isMoment)
    return { label: "e-mail address", from: ({ emails }) => emails, otherwise: ["ada@example.com"] };
  const moments = [...material.dates, ...material.times];
  if (isMoment || (material.names.length === 0 && moments.length > 0))
    return { label: "moment", from: () => moments, otherwise: ["now"] };
  return {
    label: "place",
    from: ({ emails, names, paths, codes }) => [...emails, ...paths, ...names, ...codes],
    otherwise: ["Oslo", "Lima"],
  };
}

function fitLength(text: string, schema: { readonly [key: string]: unknown }, work: Work): string {
  const min = Number(schema["minLength"] ?? 0);
  const max = Number(schema["maxLength"] ?? Number.POSITIVE_INFINITY);
  const characters = Array.from(text);
  if (characters.length > max) return characters.slice(0, max).join("");
  if (characters.length >= min) return text;
  return text.padEnd(text.length + work.characters(min - characters.length), " and more");
}
