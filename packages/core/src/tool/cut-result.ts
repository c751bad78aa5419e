import type { Json } from "../internal/json.ts";
import type { JsonSafe } from "./json-safe.ts";

/** The most bytes that JSON makes of one character: a control character as `\u0000`. */
const WIDEST = 6;

/**
 * The value, or as much of its text as fits, with a note to the model that says so and how large the whole was.
 *
 * @param maxBytes - Of JSON in UTF-8, note not included.
 */
export function cutResult(safe: JsonSafe, raw: unknown, maxBytes: number): Json {
  if (typeof raw === "string" && typeof safe.value === "string") return cutText(raw, safe.value, maxBytes);
  const complete = !safe.cut && !safe.endless;
  // Most results are far below the limit: no need to write them out to know.
  if (complete && !safe.hasRef && safe.characters * WIDEST <= maxBytes) return safe.value;
  const json = JSON.stringify(safe.value);
  if (complete && fits(json, maxBytes)) return safe.hasRef ? json : safe.value;
  const kept = prefix(json, maxBytes, 0);
  return `${kept}\n[cut: these are the first ${kept.length} characters of ${safe.endless ? "more than" : "about"} ${complete ? json.length : safe.characters} characters of JSON]`;
}

/** Text that is cut where its JSON would grow beyond `maxBytes`. Looks at no more of it than it keeps. */
export function cutText(whole: string, usable: string, maxBytes: number): string {
  if (usable.length === whole.length && usable.length * WIDEST + 2 <= maxBytes) return usable;
  const kept = prefix(usable, maxBytes, 2);
  if (kept.length === whole.length) return usable;
  return `${kept}\n[cut: these are the first ${kept.length} of ${whole.length} characters]`;
}

function fits(json: string, maxBytes: number): boolean {
  return json.length <= maxBytes && prefix(json, maxBytes, 0).length === json.length;
}

/** The longest start of `text` that takes at most `maxBytes`; never ends inside a character. */
function prefix(text: string, maxBytes: number, quotes: 0 | 2): string {
  let bytes = quotes;
  let at = 0;
  while (at < text.length) {
    const code = text.codePointAt(at) ?? 0;
    bytes += sizeOf(code, quotes === 2);
    if (bytes > maxBytes) break;
    at += code > 0xffff ? 2 : 1;
  }
  return at === text.length ? text : text.slice(0, at);
}

/** Bytes of a character in UTF-8; `escaped` as inside a JSON string. */
function sizeOf(code: number, escaped: boolean): number {
  if (escaped && (code === 0x22 || code === 0x5c)) return 2;
  if (escaped && code < 0x20)
    return code === 0x08 || code === 0x09 || code === 0x0a || code === 0x0c || code === 0x0d ? 2 : 6;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}
