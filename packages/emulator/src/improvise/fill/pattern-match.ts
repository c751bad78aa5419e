import { createContext, Script } from "node:vm";
import type { Work } from "./work.ts";

/** Longer matching is ended, and is the last of its schema: a pattern may take exponential time. */
const MATCH_MS = 1000;

const TEST = new Script('new RegExp(pattern, "u").test(text)');
const place: { pattern: string; text: string } = { pattern: "", text: "" };
let context: ReturnType<typeof createContext> | undefined;

/** Whether a text matches a pattern; false for an invalid one, and for one that takes longer than a second. */
export function matches(pattern: string, text: string, work: Work): boolean {
  if (work.isDone) return false;
  place.pattern = pattern;
  place.text = text;
  try {
    return TEST.runInContext((context ??= createContext(place)), { timeout: MATCH_MS }) === true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT") work.end();
    return false;
  }
}
