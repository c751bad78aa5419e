import { ModelRetry } from "@pollux/core";
import { RE2JS } from "re2js";

/** A compiled regular expression. */
export interface Expression {
  /** Most characters of a line that may be searched, so that one line takes only a few milliseconds. */
  readonly maxLine: number;
  /** Most steps for each character. */
  readonly steps: number;
  /** Where the first match begins. */
  readonly find: (line: string) => number | undefined;
}

/** Most characters searched in a line by a small expression. */
const MAX_LINE = 20_000;

/** Most steps for one line: characters times instructions. */
const MAX_LINE_STEPS = 2_000_000;

/** Most instructions of an expression. */
const MAX_INSTRUCTIONS = 5_000;

/**
 * Compiles an expression, in RE2 syntax.
 *
 * @throws {ModelRetry} If it has an error or is too large.
 */
export function compileExpression(pattern: string, ignoreCase: boolean): Expression {
  // Checked before compiling, which takes time too.
  if (sizeOf(pattern) > MAX_INSTRUCTIONS) throw tooLarge();
  const compiled = compile(pattern, ignoreCase);
  const steps = compiled.programSize();
  if (steps > MAX_INSTRUCTIONS) throw tooLarge();
  return {
    maxLine: Math.min(MAX_LINE, Math.floor(MAX_LINE_STEPS / steps)),
    steps,
    find: (line) => {
      // Much faster than finding the position of the match.
      if (!compiled.test(line)) return undefined;
      const matcher = compiled.matcher(line);
      return matcher.find() ? matcher.start() : undefined;
    },
  };
}

function tooLarge(): ModelRetry {
  return new ModelRetry(
    "pattern: the expression is too large; use fewer or smaller repetitions, such as * for {0,1000}",
  );
}

function compile(pattern: string, ignoreCase: boolean): RE2JS {
  try {
    return RE2JS.compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModelRetry(`pattern: ${reason}; RE2 syntax supports neither lookaround nor backreferences`, {
      cause: error,
    });
  }
}

/** Estimates how many instructions an expression compiles to: one per character or class, times its repetitions. */
function sizeOf(pattern: string): number {
  /** Sizes of the groups around the current place, and of what came before the last item in each. */
  const groups: { total: number; last: number }[] = [{ total: 0, last: 0 }];
  // How a group begins, an escape, a class, or one character; `{n,m}` with its numbers.
  const item =
    /\((?:\?(?:[a-zA-Z-]*:|P?<\w+>))?|\\(?:[pP](?:\{[^}]*\}|.)|x\{[^}]*\}|.)|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\{(\d+)(,?)(\d*)\}|./gsu;
  for (const { 0: text, 1: least, 3: most = "" } of pattern.matchAll(item)) {
    const group = groups.at(-1) as { total: number; last: number };
    if (text.startsWith("(")) groups.push({ total: 0, last: 0 });
    else if (text === ")" && groups.length > 1) {
      groups.pop();
      const outer = groups.at(-1) as { total: number; last: number };
      outer.last = group.total + 1;
      outer.total += outer.last;
    } else if (least === undefined) {
      group.last = text === "*" || text === "+" || text === "?" ? group.last + 1 : 1;
      group.total += 1;
    } else {
      const times = Math.max(1, Number(least), Number(most));
      group.total += group.last * (times - 1);
      group.last *= times;
    }
  }
  return groups.reduce((sum, { total }) => sum + total, 0);
}
