import { sharedPrefix } from "../../internal/bytes.ts";
import { MARK, type RedactOptions, secretRanges } from "./redact.ts";
import { binaryText, type Range } from "./secret-matcher.ts";

/**
 * Bytes of any kind with each secret, and anything that looks like a Google key, overwritten in place: by `[redacted]` and dots
 * up to its length, or by asterisks if it is shorter. The length of the whole stays the same. Finds what {@link redact} finds, in
 * UTF-8 and in UTF-16, but nothing that is compressed.
 *
 * @returns The same array if nothing was found.
 */
export function redactBytes(bytes: Uint8Array, secrets: readonly string[], options?: RedactOptions): Uint8Array {
  return overwrite(bytes, secretRanges(binaryText(bytes), withUtf16(secrets), options));
}

/**
 * Takes the secrets out of the JSON bodies of a conversation. Searches only what the body before did not have; holds one body, or two
 * if there was a secret in it.
 */
export class BodyScrubber {
  #secrets: readonly string[] = [];
  #raw: Uint8Array = NOTHING;
  #clean: Uint8Array = NOTHING;

  /** Takes out these from now on. @returns The same array for the same secrets, which is searched for faster. */
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

/**
 * Where the last object of a list begins, at or before a position: between `},` and `{"`, which no string contains, since quotes are
 * escaped in it. So no text, and no secret in one, is split there.
 */
function startOfObject(json: Uint8Array, position: number): number {
  for (let at = Math.min(position, json.length - 4); at >= 0; at--)
    if (json[at] === 0x7d && json[at + 1] === 0x2c && json[at + 2] === 0x7b && json[at + 3] === 0x22) return at;
  return 0;
}

/** {@link redactBytes} for bytes that are UTF-8. Faster when it is given the same array of secrets again. */
function redactUtf8(bytes: Uint8Array, secrets: readonly string[]): Uint8Array {
  // Nearly always there is none, and the platform decodes UTF-8 much faster.
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
