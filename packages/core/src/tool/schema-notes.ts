import { changed, type SchemaPlace, type SchemaScope } from "./schema-scope.ts";

/** Longest regular expression that is worth a model's attention, in characters. */
const MAX_PATTERN = 200;

/** Keywords outside the documented subset whose meaning a sentence can carry. */
const SENTENCE_OF: ReadonlyMap<string, (value: unknown) => string> = new Map<string, (value: unknown) => string>([
  ["minLength", (value) => `At least ${count(value, "character")}.`],
  ["maxLength", (value) => `At most ${count(value, "character")}.`],
  ["pattern", (value) => (String(value).length > MAX_PATTERN ? "" : `Matches /${String(value)}/.`)],
  ["uniqueItems", (value) => (value === true ? "No duplicates." : "")],
  ["multipleOf", (value) => `A multiple of ${String(value)}.`],
  ["minProperties", (value) => `At least ${count(value, "property", "properties")}.`],
  ["maxProperties", (value) => `At most ${count(value, "property", "properties")}.`],
  ["default", (value) => `Default: ${JSON.stringify(value)}.`],
  [
    "examples",
    (value) =>
      Array.isArray(value) && value.length > 0
        ? `Examples: ${value.map((example) => JSON.stringify(example)).join(", ")}.`
        : "",
  ],
  ["example", (value) => `Example: ${JSON.stringify(value)}.`],
  ["contentEncoding", (value) => `Encoded as ${String(value)}.`],
  ["contentMediaType", (value) => `Content type ${String(value)}.`],
]);

/** Formats the service documents, by type. */
const FORMATS: ReadonlyMap<string, readonly string[]> = new Map([
  ["string", ["date-time", "enum"]],
  ["number", ["float", "double"]],
  ["integer", ["int32", "int64"]],
]);

/**
 * Says in words what the service's subset has no keyword for; the answer is checked against the real schema anyway.
 *
 * @returns Sentences for the description, in the schema's order.
 */
export function notesOf(
  node: { readonly [key: string]: unknown },
  types: readonly string[],
  scope: SchemaScope,
  place: SchemaPlace,
): string[] {
  const notes: string[] = [];
  for (const [key, value] of Object.entries(node)) {
    const sentence = SENTENCE_OF.get(key);
    if (sentence === undefined) continue;
    // A named format says more than the regular expression that zod makes of it.
    const text = key === "pattern" && typeof node["format"] === "string" ? "" : sentence(value);
    if (text !== "") notes.push(text);
    changed(
      scope,
      place,
      text === ""
        ? "dropped: it says nothing that a model needs"
        : "moved into the description: it is not in the service's subset",
      key,
    );
  }
  const { format } = node;
  if (typeof format === "string" && !keepsFormat(format, types)) {
    notes.push(`Format: ${format}.`);
    changed(
      scope,
      place,
      `"${format}" moved into the description: the service knows ${[...FORMATS.values()].flat().join(", ")} only`,
      "format",
    );
  }
  return notes;
}

/** True for a format that the service documents for one of these types. */
export function keepsFormat(format: string, types: readonly string[]): boolean {
  return types.some((type) => FORMATS.get(type)?.includes(format) === true);
}

function count(value: unknown, one: string, many = `${one}s`): string {
  return `${String(value)} ${value === 1 ? one : many}`;
}
