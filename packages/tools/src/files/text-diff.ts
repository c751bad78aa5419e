import { OMIT_HEADERS, formatPatch, structuredPatch } from "diff";

/** The effect of a change on a text. */
export interface TextDiff {
  /** Unified, without headers; a note instead if it would be too long or take too long. */
  readonly diff: string;
  /** Lines. */
  readonly added: number;
  /** Lines. */
  readonly removed: number;
}

/** Longest diff that is reported, in characters. */
const MAX_DIFF = 60_000;

/** Most lines that are added and removed; the time for a diff grows with the square of their number. */
const MAX_CHANGES = 2_000;

/** A line diff of two texts, with three lines around each change. */
export function diffOf(before: string, after: string): TextDiff {
  // A diff of texts that have little in common takes long and is useless.
  const patch = structuredPatch("", "", before, after, undefined, undefined, {
    context: 3,
    maxEditLength: MAX_CHANGES,
    timeout: 1000,
  });
  if (patch === undefined) {
    const [added, removed] = [linesIn(after), linesIn(before)];
    return { diff: `[too different to compare: ${removed} lines replaced by ${added}]`, added, removed };
  }
  const lines = patch.hunks.flatMap((hunk) => hunk.lines);
  return {
    diff: cutDiff(formatPatch(patch, OMIT_HEADERS).trimEnd(), MAX_DIFF),
    added: lines.filter((line) => line.startsWith("+")).length,
    removed: lines.filter((line) => line.startsWith("-")).length,
  };
}

/** The beginning of a diff, in whole lines, with a note about how many were cut. */
export function cutDiff(diff: string, max: number): string {
  if (diff.length <= max) return diff;
  const end = Math.max(0, diff.lastIndexOf("\n", max));
  const left = diff.slice(end).split("\n").length - 1;
  return `${diff.slice(0, end)}\n[diff cut: ${left} more lines]`.trimStart();
}

function linesIn(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") || text === "" ? 1 : 0);
}
