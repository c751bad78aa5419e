import type { Random } from "../../internal/random.ts";
import { matches } from "./pattern-match.ts";
import type { Work } from "./work.ts";

const PRINTABLE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_- ";
const CLASSES: Readonly<Record<string, string>> = {
  d: "0123456789",
  w: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
  s: " ",
  D: "abcdefghijklmnopqrstuvwxyz",
  W: "-",
  S: "abcdefghijklmnopqrstuvwxyz0123456789",
  n: "\n",
  t: "\t",
};

/**
 * Text that matches a simple pattern: literals, classes, groups, alternatives, quantifiers, anchors. Undefined if that fails, or if
 * it would take too much work.
 */
export function textFromPattern(pattern: string, random: Random, work: Work): string | undefined {
  let at = 0;
  const spend = (characters: number): void => {
    if (work.characters(characters) < characters) throw new RangeError("the pattern takes too much work");
  };

  const alternatives = (): string => {
    const options = [sequence()];
    while (pattern[at] === "|") {
      at += 1;
      options.push(sequence());
    }
    return random.pick(options);
  };

  const sequence = (): string => {
    let text = "";
    while (at < pattern.length && pattern[at] !== "|" && pattern[at] !== ")") {
      const start = at;
      const first = atom();
      const end = at;
      const [min, max] = quantifier();
      const after = at;
      const times = random.int(min, max);
      if (times > 0) text += first;
      for (let repeat = 1; repeat < times; repeat += 1) {
        // The atom is generated again, so that each repetition may differ.
        at = start;
        text += atom();
        at = end;
      }
      at = after;
    }
    return text;
  };

  const atom = (): string => {
    const character = pattern[at] ?? "";
    at += 1;
    spend(1);
    if (character === "^" || character === "$") return "";
    if (character === ".") return random.pick(Array.from("abcdefghij"));
    if (character === "(") {
      const flags = /^\?(?::|<[A-Za-z]\w*>)/.exec(pattern.slice(at));
      at += flags?.[0].length ?? 0;
      const inner = alternatives();
      at += 1;
      return inner;
    }
    if (character === "[") return random.pick(Array.from(characterClass()));
    if (character !== "\\") return character;
    const escaped = pattern[at] ?? "";
    at += 1;
    return escaped === "b" ? "" : random.pick(Array.from(CLASSES[escaped] ?? escaped));
  };

  const characterClass = (): string => {
    const negated = pattern[at] === "^";
    if (negated) at += 1;
    let members = "";
    while (at < pattern.length && pattern[at] !== "]") {
      let character = pattern[at] ?? "";
      at += 1;
      if (character === "\\") {
        character = pattern[at] ?? "";
        at += 1;
        if (CLASSES[character] !== undefined) {
          members += CLASSES[character];
          continue;
        }
      }
      const last = pattern[at + 1];
      if (pattern[at] === "-" && last !== undefined && last !== "]") {
        at += 2;
        spend(Math.max(1, last.charCodeAt(0) - character.charCodeAt(0)));
        for (let code = character.charCodeAt(0); code <= last.charCodeAt(0); code += 1)
          members += String.fromCharCode(code);
      } else members += character;
    }
    at += 1;
    return negated
      ? Array.from(PRINTABLE)
          .filter((character) => !members.includes(character))
          .join("")
      : members;
  };

  const quantifier = (): [number, number] => {
    const found = /^(?:([*+?])|\{(\d+)(,(\d*))?\})\??/.exec(pattern.slice(at));
    if (found === null) return [1, 1];
    at += found[0].length;
    if (found[1] !== undefined) return { "*": [0, 2], "+": [1, 3], "?": [0, 1] }[found[1]] as [number, number];
    const min = Number(found[2]);
    if (found[3] === undefined) return [min, min];
    return [min, Math.min(found[4] === "" ? min + 3 : Number(found[4]), min + 8)];
  };

  try {
    const text = alternatives();
    return matches(pattern, text, work) ? text : undefined;
  } catch {
    // A pattern that this simple parser doesn't support; the caller uses another value.
    return undefined;
  }
}
