import { findSequence, type Sequence } from "./find-sequence.ts";

/** Most lines of a file, and of a text that was not found, that are compared. */
const MAX_LINES = 20_000;

/** Most characters of a file that are compared for similar text. */
const MAX_COMPARED = 500_000;

/** Most characters of a line that are compared for similar text. */
const MAX_LINE = 500;

/** Explains why a text was not found: where similar text is, and what differs. */
export function nearMiss(text: string, wanted: string): string {
  const lines = text.split(/\r?\n/, MAX_LINES);
  const wantedLines = wanted.split(/\r?\n/, MAX_LINES);
  const squeezedLines = lines.map(squeezed);
  const loose = wantedLines.map(squeezed);
  const at = placeOf(squeezedLines, loose);
  if (at !== undefined && loose.some((line) => line !== ""))
    return `it differs in white space from line ${at + 1}: ${quoted(lines.slice(at, at + wantedLines.length))}`;
  const key = loose.reduce((longest, line) => (line.length > longest.length ? line : longest), "");
  const best = mostLike(squeezedLines, key);
  if (best === undefined) return "there is nothing like it; read the file again";
  const start = Math.max(0, best - loose.indexOf(key));
  return `the closest is line ${start + 1}: ${quoted(lines.slice(start, start + wantedLines.length))}`;
}

function squeezed(line: string): string {
  return line.trim().replaceAll(/\s+/g, " ");
}

function quoted(lines: readonly string[]): string {
  const text = lines.slice(0, 12).join("\n");
  return JSON.stringify(text.length > 600 ? `${text.slice(0, 600)}…` : text);
}

/** Where lines occur among others. Empty lines also match beyond the end of the file. */
function placeOf(lines: readonly string[], wanted: readonly string[]): number | undefined {
  const numbers = new Map<string, number>();
  const numbered = (all: readonly string[]): Sequence => {
    const found = all.map((line) => {
      const number = numbers.get(line) ?? numbers.size;
      numbers.set(line, number);
      return number;
    });
    return { length: found.length, at: (index) => found[index] as number };
  };
  const padded = [...lines, ...wanted.slice(1).map(() => "")];
  return findSequence(numbered(padded), numbered(wanted), 1)[0];
}

/** The line that shares the most pairs of letters; undefined if none shares half of them. */
function mostLike(lines: readonly string[], wanted: string): number | undefined {
  const pairs = pairsOf(wanted);
  let best: number | undefined;
  let bestShare = 0.5;
  let left = MAX_COMPARED;
  for (const [index, line] of lines.entries()) {
    left -= Math.min(line.length, MAX_LINE);
    if (left < 0) break;
    const own = pairsOf(line);
    const common = [...own].filter((pair) => pairs.has(pair)).length;
    const share = (2 * common) / (own.size + pairs.size || 1);
    if (share > bestShare) {
      best = index;
      bestShare = share;
    }
  }
  return best;
}

function pairsOf(text: string): Set<string> {
  const short = text.slice(0, MAX_LINE);
  return new Set(Array.from({ length: Math.max(0, short.length - 1) }, (_, index) => short.slice(index, index + 2)));
}
