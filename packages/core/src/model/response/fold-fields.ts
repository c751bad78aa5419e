import { isObject, sameJson } from "../../internal/json.ts";

/**
 * Lists that come in pieces: each chunk brings some of the entries, and a chunk may repeat earlier ones. Any other list is complete
 * wherever it is: safety ratings are rated anew, and grounding comes whole, in the last chunk, with indices into its own lists.
 */
const IN_PIECES: ReadonlySet<string> = new Set(["citationSources", "citations", "urlMetadata"]);

/**
 * Adds the fields of a chunk to those of earlier chunks, known or not. The latest value wins, except that an empty one never
 * replaces a full one, since early chunks may hold empty values for fields that other chunks fill, in no guaranteed order. Objects
 * are merged member by member, and lists that come in pieces add up.
 */
export function foldFields(
  record: Record<string, unknown>,
  from: object,
  except: string,
  alsoExcept: string = except,
): void {
  // No lists of names or entries: an answer may have thousands of chunks.
  for (const name in from) {
    if (name === except || name === alsoExcept || name === "__proto__") continue;
    // Parsed from JSON, so any value is possible.
    const value = (from as Readonly<Record<string, unknown>>)[name];
    if (!Object.hasOwn(record, name)) {
      if (value !== undefined) record[name] = value;
    } else record[name] = foldValue(name, record[name], value);
  }
}

function foldValue(name: string, before: unknown, after: unknown): unknown {
  if (typeof after === "number") return after;
  if (isEmpty(after)) return before;
  if (Array.isArray(after)) return Array.isArray(before) && IN_PIECES.has(name) ? addMissing(before, after) : after;
  if (!isObject(after) || !isObject(before)) return after;
  const merged = { ...before };
  foldFields(merged, after, "__proto__");
  return merged;
}

function addMissing(before: readonly unknown[], after: readonly unknown[]): readonly unknown[] {
  const added = after.filter((entry) => !before.some((known) => sameJson(known, entry)));
  return added.length === 0 ? before : [...before, ...added];
}

/** True for no value, an empty string, and an object or list of such. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  if (typeof value !== "object") return false;
  for (const name in value) {
    const member = (value as Readonly<Record<string, unknown>>)[name];
    if (typeof member === "number" || !isEmpty(member)) return false;
  }
  return true;
}
