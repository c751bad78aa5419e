import { MIN_SECRET } from "./header-secrets.ts";
import { formsOf } from "./secret-forms.ts";

/** Keys and access tokens issued by Google; redacted even if they are not ours. */
const GOOGLE_KEY = /AIza[\w-]{30,}|AQ\.[\w-]{30,}|ya29\.[\w.-]{20,}/g;

/**
 * The text with each secret, and anything that looks like a Google key, replaced by `[redacted]`. Also finds secrets that are
 * escaped in JSON or HTML, percent-encoded, or in base64 or hex.
 */
export function redact(text: string, secrets: readonly string[]): string {
  return redactPieces([text], secrets)[0] ?? text;
}

/** The same for a truncated text, which may end with the beginning of a secret. */
export function redactCut(text: string, secrets: readonly string[]): string {
  let clean = redact(text, secrets);
  for (const form of new Set(secrets.flatMap(formsOf))) {
    for (let length = form.length - 1; length >= MIN_SECRET; length--)
      if (clean.endsWith(form.slice(0, length))) clean = `${clean.slice(0, -length)}[redacted]`;
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
  for (const secret of new Set(secrets.flatMap(formsOf))) {
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

/** Deeper values are not read. */
const MAX_DEPTH = 100;

/** A JSON value with its texts, names and numbers redacted; what is nested deeper than 100 levels is left out. */
export function redactValue(value: unknown, secrets: readonly string[], depth = 0): unknown {
  if (typeof value === "string") return redact(value, secrets);
  if (typeof value === "number") return secrets.includes(String(value)) ? "[redacted]" : value;
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return "[nested too deeply]";
  if (Array.isArray(value)) return value.map((item) => redactValue(item, secrets, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [redact(name, secrets), redactValue(item, secrets, depth + 1)]),
  );
}
