import { EMULATOR_KEY, type HeaderFields } from "../endpoints/endpoint.ts";

/** Keys and access tokens issued by Google; redacted even if they are not ours. */
const GOOGLE_KEY = /AIza[\w-]{30,}|AQ\.[\w-]{30,}|ya29\.[\w.-]{20,}/g;

/** Shorter values could be ordinary words. */
const MIN_SECRET = 6;

/** The secrets in authentication headers: whole values, and the token of `Bearer token`. */
export function secretsOf(headers: HeaderFields): readonly string[] {
  const secrets: string[] = [];
  for (const value of Object.values(headers)) {
    const token = value.slice(value.lastIndexOf(" ") + 1);
    if (token.length >= MIN_SECRET && token !== EMULATOR_KEY) secrets.push(token);
  }
  return secrets;
}

/** The text with each secret (also URL-encoded), and anything that looks like a Google key, replaced by `[redacted]`. */
export function redact(text: string, secrets: readonly string[]): string {
  return redactPieces([text], secrets)[0] ?? text;
}

/** The same for a truncated text, which may end with the beginning of a secret. */
export function redactCut(text: string, secrets: readonly string[]): string {
  let clean = redact(text, secrets);
  for (const secret of secrets) {
    for (let length = secret.length - 1; length >= MIN_SECRET; length--)
      if (clean.endsWith(secret.slice(0, length))) clean = `${clean.slice(0, -length)}[redacted]`;
  }
  return clean;
}

/**
 * The same for consecutive texts, such as the deltas of a stream: also finds a secret that spans several of them. `[redacted]`
 * replaces it where it begins.
 */
export function redactPieces(pieces: readonly string[], secrets: readonly string[]): readonly string[] {
  const found = secretRanges(pieces.join(""), secrets);
  if (found.length === 0) return pieces;
  let start = 0;
  return pieces.map((piece) => {
    const from = start;
    start += piece.length;
    let clean = "";
    let at = from;
    for (const range of found) {
      if (range.end <= from || range.start >= start) continue;
      if (range.start >= from) clean += `${piece.slice(at - from, range.start - from)}[redacted]`;
      at = Math.min(range.end, start);
    }
    return clean + piece.slice(at - from);
  });
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Positions of secrets, in order; overlapping ones are merged. */
function secretRanges(text: string, secrets: readonly string[]): readonly Range[] {
  const ranges: Range[] = [...text.matchAll(GOOGLE_KEY)].map(({ 0: key, index }) => ({
    start: index,
    end: index + key.length,
  }));
  for (const secret of new Set(secrets.flatMap((one) => [one, encodeURIComponent(one)]))) {
    if (secret === "") continue;
    for (let at = text.indexOf(secret); at !== -1; at = text.indexOf(secret, at + secret.length))
      ranges.push({ start: at, end: at + secret.length });
  }
  const merged: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last === undefined || range.start >= last.end) merged.push(range);
    else merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
  }
  return merged;
}
