import { MARK, type RedactOptions, secretRanges } from "./redact.ts";
import type { Range } from "./secret-matcher.ts";

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

/** {@link redactBytes} for bytes that are UTF-8. Faster when it is given the same array of secrets again. */
export function redactUtf8(bytes: Uint8Array, secrets: readonly string[]): Uint8Array {
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
    for (let at = 0; at < length; at++) clean[start + at] = mark.charCodeAt(at);
  }
  return clean;
}

/** Arguments of one call. */
const AT_ONCE = 8192;

/** Each byte as one character. */
function binaryText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += AT_ONCE) text += String.fromCharCode(...bytes.subarray(at, at + AT_ONCE));
  return text;
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
