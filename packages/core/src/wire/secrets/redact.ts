import { addRange, matcherFor, type Range } from "./secret-matcher.ts";
import { layersOf } from "./unescape.ts";

/** Options of {@link redact}. */
export interface RedactOptions {
  /**
   * True for a text that was truncated: six or more characters from the beginning of a secret are also redacted at the end of the
   * text and before each `…`.
   */
  readonly truncated?: boolean | undefined;
}

/**
 * The text with each secret, and anything that looks like a Google key, replaced by `[redacted]`; everything else stays as it is.
 *
 * Finds a secret in every form in which services and logs repeat it: as it is; escaped in JSON, a URL or HTML, also several times
 * over; and in hex, base64 or base64url, also as a part of a longer text. A secret of fewer than 8 characters is only found where
 * it stands alone and is not encoded, so that ordinary words stay readable. Takes time linear in the length of the text.
 *
 * @param secrets - Pass the same array again for the same secrets: preparing them takes longer than searching a short text.
 */
export function redact(text: string, secrets: readonly string[], options?: RedactOptions): string {
  return redactPieces([text], secrets, options).join("");
}

/**
 * {@link redact} for consecutive texts, such as the deltas of a stream: also finds a secret that spans several of them.
 * `[redacted]` replaces it where it begins.
 */
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

/** {@link redact} for all texts, names and numbers of a JSON value; what is nested deeper than 200 levels is left out. */
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

/** Replaces a secret. */
export const MARK = "[redacted]";

/** Keys and access tokens issued by Google; redacted even if they are not ours. */
const GOOGLE_KEY = /AIza[\w-]{30,}|AQ\.[\w-]{30,}|ya29\.[\w.-]{20,}/g;

/** Positions of secrets, in order; overlapping ones are merged. */
export function secretRanges(text: string, secrets: readonly string[], options?: RedactOptions): readonly Range[] {
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
