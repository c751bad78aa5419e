import { sharedPrefix } from "../../internal/text.ts";
import { addRange, binaryText, layersOf, matcherFor, type Range } from "./secret-matcher.ts";

/** Options of {@link redact}. */
export interface RedactOptions {
  /** True for truncated text: also redacts beginnings of secrets, of six characters or more, at its end and before each `…`. */
  readonly truncated?: boolean | undefined;
}

/**
 * The text with each secret, and anything that looks like a Google key, replaced by `[redacted]`. Finds a secret in every form in which
 * services and logs repeat it: as it is; escaped in JSON, a URL or HTML, even several times over; and in hex, base64 or base64url, even as
 * a part of a longer text. Finds a secret of fewer than 8 characters only as a separate, unencoded word. Takes time linear in the length
 * of the text.
 * @param secrets - Pass the same array again for the same secrets: preparing them takes time.
 */
export function redact(text: string, secrets: readonly string[], options?: RedactOptions): string {
  return redactPieces([text], secrets, options).join("");
}

/** {@link redact} for consecutive texts, such as a stream's deltas. If a secret spans several texts, `[redacted]` is where it begins. */
export function redactPieces(
  pieces: readonly string[],
  secrets: readonly string[],
  options?: RedactOptions,
): readonly string[] {
  const ranges = secretRanges(pieces.join(""), secrets, options).values();
  let range = ranges.next().value;
  let end = 0;
  return pieces.map((piece) => {
    const start = end;
    end += piece.length;
    let clean = "";
    let at = start;
    while (range !== undefined && range.start < end) {
      if (range.start >= start) clean += piece.slice(at - start, range.start - start) + MARK;
      at = Math.min(range.end, end);
      // The next piece may hold more of it.
      if (range.end > end) break;
      range = ranges.next().value;
    }
    return clean + piece.slice(at - start);
  });
}

/** {@link redact} for all texts, names and numbers of a JSON value; values nested deeper than 200 levels are left out. */
export function redactValue(value: unknown, secrets: readonly string[], options?: RedactOptions): unknown {
  const clean = (text: string): string => redact(text, secrets, options);
  const copy = (inner: unknown, depth: number): unknown => {
    if (typeof inner === "string") return clean(inner);
    if (typeof inner === "number") return redact(String(inner), secrets) === String(inner) ? inner : MARK;
    if (typeof inner !== "object" || inner === null) return inner;
    if (depth >= MAX_DEPTH) return "[nested too deeply]";
    if (Array.isArray(inner)) return inner.map((item) => copy(item, depth + 1));
    return Object.fromEntries(Object.entries(inner).map(([name, item]) => [clean(name), copy(item, depth + 1)]));
  };
  return copy(value, 0);
}

const MAX_DEPTH = 200;

/** Bytes with each secret overwritten in place, in UTF-8 and UTF-16, but not in compressed data. @returns The same array if none was found. */
export function redactBytes(bytes: Uint8Array, secrets: readonly string[], options?: RedactOptions): Uint8Array {
  return overwrite(bytes, secretRanges(binaryText(bytes), withUtf16(secrets), options));
}

/** Takes the secrets out of the JSON bodies of a conversation. Searches only bytes that the last body did not have; holds one or two bodies. */
export class BodyScrubber {
  #secrets: readonly string[] = [];
  #raw: Uint8Array = NOTHING;
  #clean: Uint8Array = NOTHING;

  /** Sets the secrets for later bodies. @returns The same array for the same secrets, which makes the search faster. */
  use(secrets: readonly string[]): readonly string[] {
    if (secrets.length === this.#secrets.length && secrets.every((secret, index) => secret === this.#secrets[index]))
      return this.#secrets;
    this.#raw = NOTHING;
    this.#clean = NOTHING;
    return (this.#secrets = secrets);
  }

  /** A copy of the body, with secrets overwritten in place, so that its length and all offsets stay the same. @param body - UTF-8. */
  clean(body: Uint8Array): Uint8Array {
    // Not `slice`: a Buffer would share its memory.
    const raw = new Uint8Array(body);
    const from = startOfObject(raw, sharedPrefix(raw, this.#raw));
    const rest = raw.subarray(from);
    const cleanRest = redactUtf8(rest, this.#secrets);
    let clean = raw;
    if (cleanRest !== rest || this.#clean !== this.#raw) {
      clean = new Uint8Array(raw.length);
      clean.set(this.#clean.subarray(0, from));
      clean.set(cleanRest, from);
    }
    this.#raw = raw;
    this.#clean = clean;
    return clean;
  }
}

const NOTHING = new Uint8Array();

/** Where the last object of a list begins, at or before a position: between `},` and `{"`. No string contains these, so this splits no text. */
function startOfObject(json: Uint8Array, position: number): number {
  for (let at = Math.min(position, json.length - 4); at >= 0; at--)
    if (json[at] === 0x7d && json[at + 1] === 0x2c && json[at + 2] === 0x7b && json[at + 3] === 0x22) return at;
  return 0;
}

/** {@link redactBytes} for bytes that are UTF-8. Faster when it is given the same array of secrets again. */
function redactUtf8(bytes: Uint8Array, secrets: readonly string[]): Uint8Array {
  // Most bodies have no secret, and the platform decodes UTF-8 much faster.
  if (secretRanges(new TextDecoder().decode(bytes), secrets).length === 0) return bytes;
  return overwrite(bytes, secretRanges(binaryText(bytes), secrets));
}

function overwrite(bytes: Uint8Array, ranges: readonly Range[]): Uint8Array {
  if (ranges.length === 0) return bytes;
  // Not `slice`: a Buffer would share its memory.
  const clean = new Uint8Array(bytes);
  for (const { start, end } of ranges) {
    const length = end - start;
    const mark = length < MARK.length ? "*".repeat(length) : MARK.padEnd(length, ".");
    new TextEncoder().encodeInto(mark, clean.subarray(start, end));
  }
  return clean;
}

function withUtf16(secrets: readonly string[]): readonly string[] {
  return secrets.flatMap((secret) => {
    const codes = Array.from({ length: secret.length }, (_, at) => secret.charCodeAt(at));
    const little = codes.map((code) => String.fromCharCode(code & 0xff, code >> 8)).join("");
    const big = codes.map((code) => String.fromCharCode(code >> 8, code & 0xff)).join("");
    // A zero beside it may belong to a neighbor.
    return [secret, little.replace(/\0$/, ""), big.replace(/^\0/, "")];
  });
}

/** Replaces a secret. */
export const MARK = "[redacted]";

/** Keys and access tokens issued by Google; redacted even if they are not this client's. */
const GOOGLE_KEY = /AIza[\w-]{30,}|AQ\.[\w-]{30,}|ya29\.[\w.-]{20,}/g;

/** Positions of secrets, in order; overlapping ones are merged. */
function secretRanges(text: string, secrets: readonly string[], options?: RedactOptions): readonly Range[] {
  const ranges: Range[] = Array.from(text.matchAll(GOOGLE_KEY), ({ 0: key, index }) => ({
    start: index,
    end: index + key.length,
  }));
  if (secrets.length > 0) {
    const matcher = matcherFor(secrets);
    for (const layer of layersOf(text))
      for (const { start, end } of matcher.find(layer.text, options?.truncated))
        ranges.push({ start: layer.origin(start), end: layer.origin(end) });
  }
  const merged: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.end - b.end)) addRange(merged, range);
  return merged;
}
