import { type Fields, isFields } from "../../internal/json.ts";
import { rawWords, stem } from "../../internal/words.ts";
import type { Filling } from "./fill-schema.ts";
import { isCounted } from "./number-value.ts";
import { kindOf } from "./text-kinds.ts";

/** Words in the name of a property that pick one of several values. */
const QUALIFIERS = new Set(
  "next previous last first from to source target old new min max start end before after".split(" "),
);

/** Whether the material has a value for a property that is not required. */
export function isNamed(
  name: string,
  schema: Fields,
  properties: Fields,
  required: ReadonlySet<string>,
  options: Filling,
): boolean {
  const { material, spoken, implied } = options;
  const words = rawWords(name.slice(0, 100));
  if (Array.isArray(schema["enum"])) {
    const qualifiers = words.filter((word) => QUALIFIERS.has(word));
    return qualifiers.every((word) => spoken.has(stem(word))) && mentionedMembers(schema["enum"], options).length > 0;
  }
  switch (typeNameOf(schema)) {
    case "boolean":
      return words.every((word) => isMentioned(stem(word), spoken) || implied?.has(stem(word)) === true);
    case "integer":
    case "number":
      return isCounted(name, material.numbers);
    case "array": {
      const items = isFields(schema["items"]) ? schema["items"] : {};
      if (typeNameOf(items) !== "string") return false;
      return hasText(name, { description: schema["description"], ...items }, properties, required, options);
    }
    case "string":
      return hasText(name, schema, properties, required, options);
    default:
      return false;
  }
}

/** The members of an enumeration that the material mentions, in order of appearance; or else the ones that it implies. */
export function mentionedMembers(members: readonly unknown[], { material, spoken, implied }: Filling): unknown[] {
  const lower = material.text.toLowerCase();
  const at = (member: unknown): number => {
    const word = String(member).toLowerCase().slice(0, 100);
    if (word === "") return -1;
    const words = rawWords(word);
    const isSpoken = words.length > 0 && words.every((one) => spoken.has(stem(one)));
    return isSpoken || (word.length > 1 && words.length === 0)
      ? Math.max(lower.indexOf(words[0] ?? word), isSpoken ? 0 : -1)
      : -1;
  };
  const placed = members
    .filter((member) => typeof member === "string" || typeof member === "number")
    .map((member) => ({ member, at: at(member) }));
  const found = placed.filter((one) => one.at >= 0).toSorted((left, right) => left.at - right.at);
  if (found.length > 0) return found.map(({ member }) => member);
  return members.filter((member) => {
    const words = rawWords(String(member).slice(0, 100)).map(stem);
    return words.length > 0 && words.every((word) => implied?.has(word));
  });
}

/** Whether the text has a word, or a longer form of it. */
function isMentioned(word: string, spoken: ReadonlySet<string>): boolean {
  if (spoken.has(word)) return true;
  return word.length >= 5 && [...spoken].some((other) => other.startsWith(word));
}

/** Whether the material has a text for this property, beyond the texts that required properties of the same kind take. */
function hasText(
  name: string,
  schema: Fields,
  properties: Fields,
  required: ReadonlySet<string>,
  { material, spoken }: Filling,
): boolean {
  const kind = kindOf({ name, schema });
  if (kind === undefined) return false;
  const offered = kind.from(material).length;
  if (offered === 0) return false;
  const taken = [...required].filter((other) => {
    const own = properties[other];
    if (!isFields(own)) return false;
    const items = typeNameOf(own) === "array" && isFields(own["items"]) ? own["items"] : {};
    return kindOf({ name: other, schema: { ...items, description: own["description"] } })?.label === kind.label;
  }).length;
  if (offered <= taken) return false;
  if (kind.isSpecific === true || SURE.has(kind.label)) return true;
  if (kind.label === "search query")
    return /\b(?:about|for|on|of|mention\w*|with)\s+\S/i.test(material.text) || material.quoted.length > 0;
  return (
    rawWords(name).every((word) => isMentioned(stem(word), spoken)) ||
    (kind.label === "text" && material.messages.length > 0 && taken === 0)
  );
}

/** Kinds whose values can't be mistaken for other words. */
const SURE = new Set(["folder", "date", "time", "moment"]);

/** The type of a schema, in lower case; empty if it has none. */
export function typeNameOf(schema: Fields): string {
  const types = Array.isArray(schema["type"]) ? schema["type"] : [schema["type"]];
  return String(types.find((type) => String(type).toLowerCase() !== "null") ?? "").toLowerCase();
}
