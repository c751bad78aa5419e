import type { Work } from "./work.ts";

/** A compiled pattern with wildcards. */
export interface Wildcards {
  /** States of the compiled pattern: matching takes at most this many steps for each character. */
  readonly size: number;
  /** Whether the whole text matches. Takes time in proportion to the text's length, for any pattern. @param work - Counts the steps. */
  readonly matches: (text: string, work?: Pick<Work, "add">) => boolean;
}

type Test = (character: string) => boolean;

/** A part of a pattern. `dirs` stands for any number of folders, including none. */
type Part = { readonly one: Test } | { readonly many: Test } | "dirs" | { readonly choice: readonly Part[][] };

/** Without a test, a state leads to its `next` states without consuming a character. */
interface State {
  readonly test?: Test | undefined;
  next: readonly number[];
}

const isAny: Test = () => true;
const isInName: Test = (character) => character !== "/";

/**
 * Compiles a pattern: `*` and `?` within a name, `**` across folders, `[a-z]`, `\` before a literal character and, if
 * `braces` is set, `{a,b}` and `{a..z}`. Nothing is expanded: there are at most two states for each character.
 */
export function compileWildcards(pattern: string, { braces }: { readonly braces: boolean }): Wildcards {
  const characters = Array.from(pattern);
  const states: State[] = [{ next: [] }];
  const start = addParts(states, parse(characters, 0, characters.length, braces), 0);
  return { size: states.length, matches: (text, work) => run(states, start, text, work) };
}

/** Follows all paths through the states at once, so no path is ever tried twice. */
function run(states: readonly State[], start: number, text: string, work?: Pick<Work, "add">): boolean {
  const seen = new Uint32Array(states.length);
  let round = 1;
  const reach = (from: readonly number[], reached: number[]): void => {
    const stack = [...from];
    for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
      if (seen[state] === round) continue;
      seen[state] = round;
      const { test, next } = states[state] as State;
      if (test === undefined && state !== 0) stack.push(...next);
      else reached.push(state);
    }
  };
  let current: number[] = [];
  reach([start], current);
  for (const character of text) {
    work?.add(1 + current.length);
    round++;
    const following: number[] = [];
    for (const state of current) {
      const { test, next } = states[state] as State;
      if (test?.(character) === true) reach(next, following);
    }
    if (following.length === 0) return false;
    current = following;
  }
  return current.includes(0);
}

/** Adds the states of some parts; returns the first one. State 0 is the end of the pattern. */
function addParts(states: State[], parts: readonly Part[], end: number): number {
  const add = (next: readonly number[], test?: Test): number => states.push({ test, next }) - 1;
  let next = end;
  for (const part of parts.toReversed()) {
    if (part === "dirs") {
      const after = next;
      const loop = add([]);
      const any = add([loop], isAny);
      (states[loop] as State).next = [any, add([after], (character) => character === "/")];
      next = add([after, loop]);
    } else if ("one" in part) next = add([next], part.one);
    else if ("many" in part) {
      const loop = add([]);
      (states[loop] as State).next = [next, add([loop], part.many)];
      next = loop;
    } else {
      const after = next;
      next = add(part.choice.map((option) => addParts(states, option, after)));
    }
  }
  return next;
}

function parse(pattern: readonly string[], from: number, to: number, braces: boolean): Part[] {
  const parts: Part[] = [];
  let at = from;
  while (at < to) {
    const character = pattern[at] as string;
    let end = at + 1;
    if (character === "*") {
      while (end < to && pattern[end] === "*") end++;
      const isWhole = end - at > 1 && isEdge(pattern[at - 1], "{") && isEdge(pattern[end], "}");
      if (isWhole && pattern[end] === "/") {
        parts.push("dirs");
        end++;
      } else parts.push({ many: isWhole ? isAny : isInName });
    } else if (character === "?") parts.push({ one: isInName });
    else if (character === "\\" && end < to) parts.push(literal(pattern[end++] as string));
    else if (character === "[") {
      const found = parseClass(pattern, at, to);
      parts.push({ one: found?.test ?? ((given) => given === "[") });
      end = found?.end ?? end;
    } else if (character === "{" && braces) {
      const cuts = cutsOf(pattern, at, to);
      if (cuts === undefined) parts.push(literal(character));
      else {
        parts.push(parseChoice(pattern, cuts));
        end = (cuts.at(-1) as number) + 1;
      }
    } else parts.push(literal(character));
    at = end;
  }
  return parts;
}

/** Whether `**` may begin after, or end before, this character. */
function isEdge(character: string | undefined, brace: string): boolean {
  return character === undefined || character === "/" || character === "," || character === brace;
}

function literal(wanted: string): Part {
  return { one: (character) => character === wanted };
}

/** Positions of the brackets and commas of a choice; undefined if it doesn't close. */
function cutsOf(pattern: readonly string[], open: number, to: number): number[] | undefined {
  const cuts = [open];
  let depth = 0;
  for (let at = open; at < to; at++) {
    const character = pattern[at];
    if (character === "\\") at++;
    else if (character === "{") depth++;
    else if (character === "," && depth === 1) cuts.push(at);
    else if (character === "}" && --depth === 0) return [...cuts, at];
  }
  return undefined;
}

function parseChoice(pattern: readonly string[], cuts: readonly number[]): Part {
  const [first = 0, second = 0] = cuts;
  const range = /^(.)\.\.(.)$/su.exec(pattern.slice(first + 1, second).join(""));
  if (cuts.length === 2 && range !== null) return { one: isBetween(range[1] as string, range[2] as string) };
  return { choice: cuts.slice(1).map((cut, index) => parse(pattern, (cuts[index] as number) + 1, cut, true)) };
}

/** A class such as `[a-z]` or `[!.]`; undefined if it doesn't close. */
function parseClass(
  pattern: readonly string[],
  open: number,
  to: number,
): { readonly test: Test; readonly end: number } | undefined {
  let at = open + 1;
  const isNegated = pattern[at] === "!" || pattern[at] === "^";
  if (isNegated) at++;
  const tests: Test[] = [];
  for (let isFirst = true; at < to; isFirst = false) {
    if (pattern[at] === "]" && !isFirst) {
      const test: Test = (character) => character !== "/" && tests.some((one) => one(character)) !== isNegated;
      return { test, end: at + 1 };
    }
    if (pattern[at] === "\\") at++;
    const low = pattern[at++] ?? "";
    if (pattern[at] !== "-" || at + 1 >= to || pattern[at + 1] === "]") {
      tests.push((character) => character === low);
      continue;
    }
    at += pattern[at + 1] === "\\" ? 2 : 1;
    tests.push(isBetween(low, pattern[at++] ?? ""));
  }
  return undefined;
}

function isBetween(low: string, high: string): Test {
  const [from, to] = [low.codePointAt(0) ?? 0, high.codePointAt(0) ?? 0];
  return (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code >= from && code <= to;
  };
}
