import { messageOf } from "../errors/agent-error.ts";
import type { Json } from "../internal/json.ts";
import { isMedia, type Media } from "./media.ts";

const MAX_DEPTH = 64;
/** Values looked at: an end for structures that make themselves as they are read. */
const MAX_VALUES = 1_000_000;

/** A value made fit for JSON, and what was met in it. */
export interface JsonSafe {
  readonly value: Json;
  /** About the length of the whole as JSON, in characters; at least this much when `endless`. */
  readonly characters: number;
  /** True when `value` was cut because `maxCharacters` was reached. */
  readonly cut: boolean;
  /** True when more than a million values were met and the rest was not looked at. */
  readonly endless: boolean;
  /** Media found on the way, in order; each is replaced by a short text that numbers it. */
  readonly media: readonly Media[];
  /** True when some object has a key `$ref`, which the service reads as a reference. */
  readonly hasRef: boolean;
}

/** How much of a value is wanted. */
export interface JsonSafeOptions {
  /** What lies beyond is counted, not copied. @defaultValue no limit */
  readonly maxCharacters?: number | undefined;
}

/**
 * A deep copy that survives JSON, of any value at all. Never throws.
 *
 * | value | becomes |
 * |---|---|
 * | `undefined`, function, symbol | left out of objects, `null` in arrays and alone |
 * | `NaN`, `Infinity` | the strings `"NaN"`, `"Infinity"`, `"-Infinity"` |
 * | bigint | decimal digits as a string |
 * | Date | ISO string, `"Invalid Date"` when it is none |
 * | Map | object when all keys are strings, else an array of `[key, value]` |
 * | Set, numeric typed array | array |
 * | Error | `{ name, message }` |
 * | RegExp, URLSearchParams | its text |
 * | bytes (`Uint8Array`, `ArrayBuffer`, `DataView`, web `Blob`) | a note with their size; {@link media} shows them |
 * | an object with `toJSON` | what that gives |
 * | a cycle | `"[circular]"` |
 * | deeper than 64 levels | `"[too deep]"` |
 * | what throws when it is read | `"[unreadable: <message>]"` |
 * | lone surrogates in strings | U+FFFD |
 */
export function jsonSafe(value: unknown, options: JsonSafeOptions = {}): JsonSafe {
  const room = options.maxCharacters ?? Number.POSITIVE_INFINITY;
  const ancestors = new Set<object>();
  const media: Media[] = [];
  let characters = 0;
  let values = 0;
  let cut = false;
  let hasRef = false;
  return { value: safe(value, 0) ?? null, characters, cut, endless: values > MAX_VALUES, media, hasRef };

  function safe(raw: unknown, depth: number): Json | undefined {
    if (++values > MAX_VALUES) return undefined;
    const plain = toPlain(raw);
    if (typeof plain === "string") return text(plain);
    if (typeof plain !== "object" || plain === null) {
      if (plain !== undefined) characters += String(plain).length;
      return plain;
    }
    if (isReadableMedia(plain)) {
      media.push(plain);
      return text(`[media ${media.length}: ${plain.mimeType}]`);
    }
    // A Map is a new object each time it is made plain, so the original is what is remembered.
    const original = raw as object;
    if (ancestors.has(original)) return text("[circular]");
    if (depth >= MAX_DEPTH) return text("[too deep]");
    ancestors.add(original);
    characters += 2;
    const copy = Array.isArray(plain) ? array(plain, depth) : object(plain, depth);
    ancestors.delete(original);
    return copy;
  }

  function text(whole: string): string {
    const left = room - characters;
    characters += whole.length + 2;
    if (left >= whole.length) return wellFormed(whole);
    cut = true;
    return left <= 0 ? "" : wellFormed(whole.slice(0, left));
  }

  function array(items: readonly unknown[], depth: number): Json[] {
    const copy: Json[] = [];
    const length = Math.min(
      read(() => items.length, 0),
      MAX_VALUES + 1,
    );
    for (let index = 0; index < length && values <= MAX_VALUES; index++) {
      const before = characters++;
      const item = safe(readItem(items, index), depth + 1) ?? null;
      if (before <= room) copy.push(item);
      else cut = true;
    }
    return copy;
  }

  function object(source: object, depth: number): Json {
    const entries: [string, Json][] = [];
    const keys = read(() => Object.keys(source), undefined);
    if (keys === undefined) return text("[unreadable]");
    for (const key of keys) {
      if (values > MAX_VALUES) break;
      const before = characters;
      const member = safe(readItem(source, key), depth + 1);
      if (member === undefined) continue;
      if (key === "$ref") hasRef = true;
      characters += key.length + 4;
      if (before <= room) entries.push([wellFormed(key), member]);
      else cut = true;
    }
    // Defines properties, so a key `__proto__` stays a key.
    return Object.fromEntries(entries);
  }
}

function wellFormed(text: string): string {
  // Newer than the type library, older than some supported runtimes.
  const { isWellFormed } = text as unknown as { readonly isWellFormed?: () => boolean };
  if (isWellFormed?.call(text) === true) return text;
  return text.replace(/\p{Surrogate}/gu, "\uFFFD");
}

function isReadableMedia(value: object): value is Media {
  return read(() => isMedia(value), false);
}

function readItem(source: object, key: string | number): unknown {
  try {
    // Any object can be read by any key; what comes back is unknown.
    return (source as Readonly<Record<string | number, unknown>>)[key];
  } catch (error) {
    return unreadable(error);
  }
}

function read<T>(get: () => T, otherwise: T): T {
  try {
    return get();
  } catch {
    return otherwise;
  }
}

/** What stands where reading threw. */
function unreadable(error: unknown): string {
  const message = read(() => messageOf(error), "error");
  return `[unreadable: ${message.slice(0, 200)}]`;
}

/** A value of JSON one level deep: what is inside arrays and objects is not looked at. */
type PlainValue = string | number | boolean | null | undefined | object;

/** Turns the objects of the platform into JSON's own kinds, one level deep. Never throws. */
function toPlain(value: unknown): PlainValue {
  switch (typeof value) {
    case "bigint":
      return value.toString();
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "function":
    case "symbol":
    case "undefined":
      return undefined;
    case "object":
      return value === null ? null : plainObject(value);
    default:
      return value as string | boolean;
  }
}

function plainObject(value: object): PlainValue {
  try {
    const prototype: unknown = Object.getPrototypeOf(value);
    // What nearly everything is.
    if ((prototype === Object.prototype || prototype === Array.prototype) && !("toJSON" in value)) return value;
    const binary = describeBytes(value);
    if (binary !== undefined) return binary;
    if (Array.isArray(value)) return value;
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
    if (value instanceof Map) return plainMap(value);
    if (value instanceof Set) return [...value];
    if (value instanceof RegExp || value instanceof URLSearchParams) return String(value);
    if ("toJSON" in value && typeof value.toJSON === "function") {
      const json: unknown = (value.toJSON as (key: string) => unknown)("");
      // As JSON.stringify does, asked once: what it gives is not asked again.
      return typeof json === "object" && json !== null ? withoutToJson(json) : toPlain(json);
    }
    // Boxed primitives.
    const bare: unknown = /^\[object (?:Number|String|Boolean|BigInt)\]$/.test(Object.prototype.toString.call(value))
      ? value.valueOf()
      : value;
    if (typeof bare !== "object") return toPlain(bare);
    if (value instanceof Error) return { name: value.name, message: value.message };
    return value;
  } catch (error) {
    return unreadable(error);
  }
}

function describeBytes(value: object): PlainValue {
  if (
    value instanceof Uint8Array ||
    value instanceof Uint8ClampedArray ||
    value instanceof DataView ||
    value instanceof ArrayBuffer
  )
    return `[${value.byteLength} bytes]`;
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number | bigint>);
  if (value instanceof Blob) return `[${value.size} bytes${value.type === "" ? "" : ` of ${value.type}`}]`;
  return undefined;
}

function plainMap(map: ReadonlyMap<unknown, unknown>): object {
  const entries = [...map];
  const named = entries.every((entry): entry is [string, unknown] => typeof entry[0] === "string");
  return named ? Object.fromEntries(entries) : entries;
}

function withoutToJson(json: object): object {
  return "toJSON" in json && !Array.isArray(json)
    ? Object.fromEntries(Object.entries(json).filter(([key]) => key !== "toJSON"))
    : json;
}
