import { createContext, Script } from "node:vm";
import type { Work } from "./work.ts";

/** A longer match is stopped and ends the filling of its schema: a pattern may take exponential time. */
const MATCH_MS = 1000;

/** Up to this many ways to match, there is no time limit, which a busy machine could exceed with any pattern. */
const MAX_WAYS = 1_000_000;

const TEST = new Script('new RegExp(pattern, "u").test(text)');
const place: { pattern: string; text: string } = { pattern: "", text: "" };
let context: ReturnType<typeof createContext> | undefined;

/** Whether a text matches a pattern; false for an invalid one, and for one that takes longer than a second. */
export function matches(pattern: string, text: string, work: Work): boolean {
  if (work.isDone) return false;
  try {
    if (mostWays(pattern, text.length) <= MAX_WAYS) return new RegExp(pattern, "u").test(text);
    place.pattern = pattern;
    place.text = text;
    return TEST.runInContext((context ??= createContext(place)), { timeout: MATCH_MS }) === true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT") work.end();
    return false;
  }
}

/** An escape, a class, the start of a group, a quantifier, or one character. */
const TOKEN =
  /\\(?:[pPu]\{[^}]*\}|[\s\S])|\[(?:\\[\s\S]|[^\]\\])*\]|\((?:\?(?::|<(?![=!])[^>]*>|))?|[*+?]\??|\{\d+(?:,\d*)?\}\??|[\s\S]/g;

/**
 * An upper bound on the ways in which backtracking may match a pattern to a text of this length. Infinity where the length sets no
 * bound: for a repeated group, a lookaround and a reference to a group.
 */
export function mostWays(pattern: string, length: number): number {
  // A match may begin at any character.
  let ways = length + 1;
  let before = "";
  for (const [token] of pattern.matchAll(TOKEN)) {
    const isQuantifier = /^(?:[*+?]|\{\d)/.test(token);
    if (token === "(?" || /^\\[1-9k]/.test(token)) return Infinity;
    if (token === "|" || token.startsWith("?")) ways *= 2;
    else if (isQuantifier && before === ")") return Infinity;
    else if (isQuantifier && !/^\{\d+\}/.test(token)) ways *= length + 1;
    before = token;
  }
  return ways;
}
