import { type Json, tryOr } from "../internal/json.ts";
import { OFFICE_TYPE } from "../wire/known-models.ts";
import type { FunctionCall, FunctionResponsePart, JsonObject, Part } from "../wire/types/content.ts";
import { isMedia, type Media, mediaPart } from "../model/request/check-contents.ts";
import { failure } from "./call-failure.ts";
import { classOf, pathOf, RefusedValue } from "./json-of.ts";
import { jsonCut, mediaHeading, mediaLeftOut, unreadable, textCut } from "./model-texts.ts";
import type { ToolOutcome } from "./tool.ts";

const DEFAULT_MAX_BYTES = 65_536;
/** Media types a function response accepts; others go into a separate content. */
const IN_RESPONSE = new Set(["image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain"]);

/** How a response is built. */
export interface FunctionResponseOptions {
  /** Whether the model accepts media inside function responses. */
  readonly mediaInFunctionResponses: boolean;
  /** Whether the media may be Office files. @defaultValue false */
  readonly officeInput?: boolean | undefined;
  /** Largest result in bytes of JSON, media not counted. @defaultValue 65_536 */
  readonly maxResultBytes?: number | undefined;
  /** Returns the maximum bytes of all media in base64; called if there are any. A note replaces media that do not fit. @defaultValue no limit */
  readonly maxMediaBytes?: (() => number) | undefined;
}

/** The parts that answer a call. */
export interface ResponseParts {
  /** The function response. */
  readonly part: Part;
  /** Media that cannot be sent with function responses: parts for a `user` content that follows them. */
  readonly after: readonly Part[];
  /** The output was cut, or is a text because it cannot be sent as an object. */
  readonly shortened?: true | undefined;
  /** For the tool's author: where an output has no JSON form, and what to return instead. The response is an error then. */
  readonly refused?: TypeError | undefined;
}

/** The response that the model reads: an outcome's value under `output` or its failure under `error`. Never throws. */
export function functionResponse(
  call: FunctionCall,
  outcome: ToolOutcome,
  options: FunctionResponseOptions,
): ResponseParts {
  const maxBytes = options.maxResultBytes ?? DEFAULT_MAX_BYTES;
  if (!outcome.ok) {
    const { message } = outcome;
    const error = cutText(message, wellFormed(message.slice(0, maxBytes)), maxBytes);
    return { part: responsePart(call, { error }, []), after: [] };
  }
  // `characters` overestimates the JSON, by three for each `[` at most: three times the limit leaves enough text to cut from.
  const safe = jsonSafe(outcome.output, { maxCharacters: maxBytes * 3, maxMediaBytes: options.maxMediaBytes });
  if (safe.refused !== undefined) {
    const refused = new TypeError(`${call.name} returned a value that has no JSON form: ${safe.refused}`);
    return { ...functionResponse(call, failure("failed", unreadable(call.name)), options), refused };
  }
  const inside: FunctionResponsePart[] = [];
  const after: Part[] = [];
  for (const [index, media] of safe.media.entries()) {
    const { mimeType } = media;
    const isTaken = IN_RESPONSE.has(mimeType) || (options.officeInput === true && OFFICE_TYPE.test(mimeType));
    if (options.mediaInFunctionResponses && isTaken) inside.push(inlinePart(media));
    else after.push({ text: mediaHeading(index + 1, call.name, call.id) }, mediaPart(media));
  }
  const output = cutResult(safe, outcome.output, maxBytes);
  const part = responsePart(call, { output }, inside);
  return output === safe.value ? { part, after } : { part, after, shortened: true };
}

function responsePart(call: FunctionCall, response: JsonObject, parts: readonly FunctionResponsePart[]): Part {
  return {
    functionResponse: {
      // The service rejects an empty id and one it did not send.
      ...(call.id === undefined || call.id === "" ? {} : { id: call.id }),
      name: call.name,
      response,
      ...(parts.length === 0 ? {} : { parts }),
    },
  };
}

function inlinePart({ mimeType, data, fileUri, displayName }: Media): FunctionResponsePart {
  const name = displayName === undefined ? {} : { displayName };
  return data === undefined
    ? { fileData: { mimeType, fileUri: fileUri ?? "", ...name } }
    : { inlineData: { mimeType, data, ...name } };
}

/** Most bytes of JSON per character: a control character becomes `\u0000`. */
const WIDEST = 6;

/** The value, or as much of its JSON as fits, plus a note on the full size. @param maxBytes - Of JSON in UTF-8, without the note. */
function cutResult(safe: JsonSafe, raw: unknown, maxBytes: number): Json {
  if (typeof raw === "string" && typeof safe.value === "string") return cutText(raw, safe.value, maxBytes);
  const complete = !safe.cut && !safe.endless;
  // Most results are far below the limit and need not be serialized to find out.
  if (complete && !safe.hasRef && safe.characters * WIDEST <= maxBytes) return safe.value;
  const json = JSON.stringify(safe.value);
  const kept = takePrefix(json, maxBytes);
  if (complete && kept.length === json.length) return safe.hasRef ? json : safe.value;
  const whole = `${safe.endless ? "more than" : "about"} ${complete ? json.length : safe.characters}`;
  return `${kept}\n${jsonCut(kept.length, whole)}`;
}

/** The text, cut where its JSON would exceed `maxBytes`. */
function cutText(whole: string, usable: string, maxBytes: number): string {
  if (usable.length === whole.length && usable.length * WIDEST + 2 <= maxBytes) return usable;
  const kept = takeText(usable, maxBytes);
  if (kept.length === whole.length) return usable;
  return `${kept}\n${textCut(kept.length, whole.length)}`;
}

/** The longest prefix of a text whose JSON has at most this many bytes; never splits a character. */
function takeText(text: string, maxBytes: number): string {
  let kept = takePrefix(JSON.stringify(text).slice(0, -1), Math.max(maxBytes - 1, 1));
  for (;;) {
    try {
      return JSON.parse(`${kept}"`);
    } catch {
      // An escape was cut in two.
      kept = kept.slice(0, -1);
    }
  }
}

/** The longest prefix of a text within this many bytes of UTF-8; never splits a character. */
function takePrefix(text: string, maxBytes: number): string {
  const room = new Uint8Array(Math.min(maxBytes, text.length * 3));
  return text.slice(0, new TextEncoder().encodeInto(text, room).read);
}

const MAX_DEPTH = 64;
/** Maximum number of values visited: bounds structures that generate themselves while they are read. */
const MAX_VALUES = 1_000_000;

/** A JSON-safe copy of a value, and what was found in it. */
export interface JsonSafe {
  readonly value: Json;
  /** Approximate length of the whole value as JSON, in characters; a lower bound when `endless`. */
  readonly characters: number;
  /** True when `value` was cut because `maxCharacters` was reached. */
  readonly cut: boolean;
  /** True when the value has more than a million values inside; the rest was not visited. */
  readonly endless: boolean;
  /** Media in the value, in order; each is replaced by a short numbered text. */
  readonly media: readonly Media[];
  /** True when some object has a key `$ref`, which the service reads as a reference. */
  readonly hasRef: boolean;
  /** Where the first value without a JSON form is, and what to write instead: `$.items[2].body is a promise: await it`. */
  readonly refused?: string | undefined;
}

/**
 * A JSON-safe deep copy of any value. Never throws; a value without a JSON form is reported as `refused`.
 *
 * | value | becomes |
 * |---|---|
 * | `undefined`, function, symbol | omitted from objects, `null` in arrays and at the root |
 * | an object with a function `then`, or with only functions | refused: its other members |
 * | `NaN`, `Infinity` | the strings `"NaN"`, `"Infinity"`, `"-Infinity"` |
 * | bigint | decimal digits as a string |
 * | Date | ISO string, or `"Invalid Date"` |
 * | Map | object when all keys are strings, else an array of `[key, value]` |
 * | Set, numeric typed array | array |
 * | Error | `{ name, message }` |
 * | RegExp, URLSearchParams | its text |
 * | bytes (`Uint8Array`, `ArrayBuffer`, `DataView`, web `Blob`) | refused: a note with their size; use {@link media} to send them |
 * | an object with `toJSON` | its result |
 * | any other object that is not plain: a promise, stream, iterator, `Response`, `Headers`, an instance of a class | refused: its own members |
 * | a cycle | `"[circular]"` |
 * | deeper than 64 levels | `"[too deep]"` |
 * | a value that throws when it is read | `"[unreadable]"`, without the error's text, like any error of a tool |
 * | lone surrogates in strings | U+FFFD |
 *
 * @param options - `maxCharacters`: characters beyond are counted, not copied. `maxMediaBytes`: a note replaces media
 *   beyond. Both default to no limit.
 */
export function jsonSafe(
  value: unknown,
  {
    maxCharacters: room = Infinity,
    maxMediaBytes,
  }: { readonly maxCharacters?: number | undefined; readonly maxMediaBytes?: (() => number) | undefined } = {},
): JsonSafe {
  const ancestors = new Set<object>();
  const media: Media[] = [];
  let mediaRoom: number | undefined;
  let characters = 0;
  let values = 0;
  let cut = false;
  let hasRef = false;
  // The keys down to the value being read; keys beyond its depth belong to earlier values.
  const place: (string | number)[] = [];
  let refused: string | undefined;
  return { value: safe(value, 0) ?? null, characters, cut, endless: values > MAX_VALUES, media, hasRef, refused };

  function safe(raw: unknown, depth: number): Json | undefined {
    if (++values > MAX_VALUES) return undefined;
    let plain = toPlain(raw);
    if (plain instanceof RefusedValue) {
      refuse(plain, depth);
      plain = plain.copy;
    }
    if (typeof plain === "string") return text(plain);
    if (typeof plain !== "object" || plain === null) {
      if (plain !== undefined) characters += String(plain).length;
      return plain;
    }
    const shown = tryOr(() => (isMedia(plain) ? plain : undefined), undefined);
    if (shown !== undefined) {
      const bytes = shown.data?.length ?? 0;
      mediaRoom ??= maxMediaBytes?.() ?? Infinity;
      if (bytes > mediaRoom) return text(mediaLeftOut(shown.mimeType, bytes, mediaRoom));
      mediaRoom -= bytes;
      media.push(shown);
      return text(`[media ${media.length}: ${shown.mimeType}]`);
    }
    // Converting a Map creates a new object each time, so the original is tracked.
    const original = raw as object;
    if (ancestors.has(original)) return text("[circular]");
    if (depth >= MAX_DEPTH) return text("[too deep]");
    ancestors.add(original);
    characters += 2;
    const copy = Array.isArray(plain) ? array(plain, depth) : object(plain as Record<string, unknown>, depth);
    ancestors.delete(original);
    return copy;
  }

  function refuse({ problem }: RefusedValue, depth: number): void {
    refused ??= `${pathOf(place.slice(0, depth))} ${problem}`;
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
    const length = tryOr(() => items.length, 0);
    for (let index = 0; index < length && values <= MAX_VALUES; index++) {
      const before = characters++;
      const raw = tryOr(() => items[index], UNREADABLE);
      place[depth] = index;
      const item = safe(raw, depth + 1) ?? null;
      if (before <= room) copy.push(item);
      else cut = true;
    }
    return copy;
  }

  function object(source: Readonly<Record<string, unknown>>, depth: number): Json {
    const entries: [string, Json][] = [];
    const keys = tryOr(() => Object.keys(source), undefined);
    if (keys === undefined) return text(UNREADABLE);
    let functions = 0;
    for (const key of keys) {
      if (values > MAX_VALUES) break;
      const before = characters;
      const raw = tryOr(() => source[key], UNREADABLE);
      if (typeof raw === "function" && (++functions === keys.length || key === "then"))
        refuse(new RefusedValue(source), depth);
      place[depth] = key;
      const member = safe(raw, depth + 1);
      if (member === undefined) continue;
      if (key === "$ref") hasRef = true;
      characters += key.length + 4;
      if (before <= room) entries.push([wellFormed(key), member]);
      else cut = true;
    }
    // Defines properties instead of assigning them: a key `__proto__` stays a key.
    return Object.fromEntries(entries);
  }
}

function wellFormed(text: string): string {
  // Newer than the type library, older than some supported runtimes.
  const { isWellFormed } = text as unknown as { readonly isWellFormed?: () => boolean };
  if (isWellFormed?.call(text) === true) return text;
  return text.replace(/\p{Surrogate}/gu, "\uFFFD");
}

/** Replaces a value that threw when it was read. */
const UNREADABLE = "[unreadable]";

/** JSON at the top level; the contents of arrays and objects are unchecked. */
type PlainValue = string | number | boolean | null | undefined | object;

/** Converts built-in objects to JSON types, one level deep. Never throws. */
function toPlain(value: unknown): PlainValue {
  if (typeof value === "object" && value !== null) return plainObject(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "function" || typeof value === "symbol") return undefined;
  // A text, a boolean, `null` or `undefined`.
  return value as PlainValue;
}

function plainObject(value: object): PlainValue {
  try {
    const prototype: object | null = Object.getPrototypeOf(value);
    // The common case.
    if ((prototype === Object.prototype || prototype === Array.prototype) && !("toJSON" in value)) return value;
    if (isBytes(value)) return new RefusedValue(value, `[${value.byteLength} bytes]`);
    if (value instanceof Blob)
      return new RefusedValue(value, `[${value.size} bytes${value.type === "" ? "" : ` of ${value.type}`}]`);
    if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number | bigint>);
    if (Array.isArray(value)) return value;
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
    if (value instanceof Map) {
      const entries = [...value];
      return entries.every(([key]) => typeof key === "string") ? Object.fromEntries(entries) : entries;
    }
    if (value instanceof Set) return [...value];
    if (value instanceof RegExp || value instanceof URLSearchParams) return String(value);
    if ("toJSON" in value && typeof value.toJSON === "function") {
      const json: unknown = (value.toJSON as (key: string) => unknown)("");
      // Called once, as JSON.stringify does, even when the result has a toJSON too.
      const isAgain = typeof json === "object" && json !== null && "toJSON" in json && !Array.isArray(json);
      return isAgain ? Object.fromEntries(Object.entries(json).filter(([key]) => key !== "toJSON")) : toPlain(json);
    }
    if (/^\[object (?:Number|String|Boolean|BigInt)\]$/.test(Object.prototype.toString.call(value))) {
      const bare: unknown = value.valueOf();
      if (typeof bare !== "object") return toPlain(bare);
    }
    if (value instanceof Error) return { name: value.name, message: value.message };
    const isPlain = prototype === null || (Object.getPrototypeOf(prototype) === null && !classOf(prototype));
    return isPlain ? value : new RefusedValue(value);
  } catch {
    return UNREADABLE;
  }
}

function isBytes(value: object): value is { readonly byteLength: number } {
  return [Uint8Array, Uint8ClampedArray, DataView, ArrayBuffer].some((type) => value instanceof type);
}
