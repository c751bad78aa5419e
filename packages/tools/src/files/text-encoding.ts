/** Encoding of a text file; `latin1` is Windows-1252, as in browsers. */
export type TextEncoding = "utf-8" | "utf-16le" | "utf-16be" | "latin1";

const MARKS: { readonly [encoding in TextEncoding]: readonly number[] } = {
  "utf-8": [0xef, 0xbb, 0xbf],
  "utf-16le": [0xff, 0xfe],
  "utf-16be": [0xfe, 0xff],
  latin1: [],
};

/** Whether bytes begin with the encoding's byte order mark. */
export function hasMark(bytes: Uint8Array, encoding: TextEncoding): boolean {
  const mark = MARKS[encoding];
  return mark.length > 0 && mark.every((byte, index) => bytes[index] === byte);
}

/**
 * The encoding of text, judged by its first bytes: UTF-16 by its byte order mark, UTF-8 if valid, otherwise Latin-1 if there
 * are no control characters. `undefined` if the bytes are not text.
 */
export function encodingOf(beginning: Uint8Array): TextEncoding | undefined {
  for (const encoding of ["utf-16le", "utf-16be"] as const)
    if (hasMark(beginning, encoding))
      return decodes(beginning, encoding)?.includes("\0") === false ? encoding : undefined;
  if (beginning.includes(0)) return undefined;
  if (decodes(beginning, "utf-8") !== undefined) return "utf-8";
  return looksLikeLatin1(beginning) ? "latin1" : undefined;
}

/** Decodes a whole text; falls back to Latin-1 if only the beginning is UTF-8. `undefined` if the bytes are not text. */
export function decodeAll(bytes: Uint8Array): { readonly text: string; readonly encoding: TextEncoding } | undefined {
  const encoding = encodingOf(bytes.subarray(0, 8192));
  if (encoding === undefined) return undefined;
  const text = decodes(bytes, encoding, false);
  if (text !== undefined) return text.includes("\0") ? undefined : { text, encoding };
  return looksLikeLatin1(bytes) ? { text: new TextDecoder("latin1").decode(bytes), encoding: "latin1" } : undefined;
}

/** Bytes of a text, optionally with a byte order mark; or the first character that the encoding lacks. */
export function encodeText(
  text: string,
  encoding: TextEncoding,
  withMark: boolean,
): { readonly bytes: Uint8Array } | { readonly lacks: string } {
  const mark = withMark ? MARKS[encoding] : [];
  if (encoding === "utf-8") return { bytes: Buffer.concat([Uint8Array.from(mark), Buffer.from(text, "utf8")]) };
  if (encoding === "latin1") {
    const table = latin1Table();
    const bytes = Array.from(text, (character) => table.get(character) ?? character);
    const lacks = bytes.find((byte) => typeof byte === "string");
    return lacks === undefined ? { bytes: Uint8Array.from(bytes as number[]) } : { lacks };
  }
  const body = Buffer.from(text, "utf16le");
  return { bytes: Buffer.concat([Uint8Array.from(mark), encoding === "utf-16be" ? body.swap16() : body]) };
}

/** Streaming by default, since the sample may end inside a character. */
function decodes(bytes: Uint8Array, encoding: TextEncoding, stream = true): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream });
  } catch {
    return undefined;
  }
}

/** True for bytes without control characters other than text's, and mostly ASCII, as in languages written in Latin-1. */
function looksLikeLatin1(bytes: Uint8Array): boolean {
  let high = 0;
  for (const byte of bytes) {
    if ((byte < 0x20 && !(byte >= 0x08 && byte <= 0x0d) && byte !== 0x1b) || byte === 0x7f) return false;
    if (byte >= 0x80) high++;
  }
  return high * 3 <= bytes.length;
}

/** Byte of each character, according to the decoder itself. */
function latin1Table(): Map<string, number> {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  return new Map(Array.from(new TextDecoder("latin1").decode(bytes), (character, byte) => [character, byte]));
}
