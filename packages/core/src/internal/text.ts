import { tryOr } from "./json.ts";

/** The words of texts, between spaces. */
/* @__NO_SIDE_EFFECTS__ */
export function wordsIn(...texts: readonly string[]): ReadonlySet<string> {
  return new Set(texts.flatMap((text) => text.split(" ")));
}

/** The beginning of a text, at most this many UTF-16 units, without half a surrogate pair at its end. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}

/** How many characters two texts share at their beginning, without half a surrogate pair. */
export function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return cutText(a, length).length;
}

/** A value as text. Anything can be thrown, even a value that cannot be converted. */
export function textOf(value: unknown): string {
  return tryOr(() => String(value), "no message");
}

/** Length of a text in UTF-8 bytes. A lone surrogate counts as the three bytes it is sent as. */
export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** How many bytes two arrays share at their beginning. Compares four at a time where both are aligned, as whole copies are. */
export function sharedPrefix(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  if (a.byteOffset % 4 === 0 && b.byteOffset % 4 === 0) {
    const words = length >> 2;
    const [left, right] = [
      new Int32Array(a.buffer, a.byteOffset, words),
      new Int32Array(b.buffer, b.byteOffset, words),
    ];
    let word = 0;
    while (word < words && left[word] === right[word]) word++;
    at = word * 4;
  }
  while (at < length && a[at] === b[at]) at++;
  return at;
}
