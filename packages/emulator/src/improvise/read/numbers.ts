/** A number in a text, with the words around it. */
export interface NumberFound {
  readonly value: number;
  /** The word after it, lower case: `people`; empty if there is none. */
  readonly unit: string;
  /** The word before it, lower case. */
  readonly before: string;
}

const WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split(" ");

/** The numbers of a text in order, as digits or as words up to twelve; a duration such as `a week` counts as one. */
export function numbersIn(text: string): NumberFound[] {
  const pattern =
    /(?:(\p{L}+)\s+)?(?:[$€£¥]\s?)?(?<![\p{L}\d.#-])(-?\d+(?:,\d{3})*(?:\.\d+)?|(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|one)\b|an?(?=\s+(?:hour|day|week|month|year|minute)\b))(?![\p{L}\d-])(?:[\s-]*(%|\p{L}+))?/giu;
  const found: NumberFound[] = [];
  let from = 0;
  // The word after one number may be the word before the next: each search starts right after the number itself.
  for (let guard = 0; guard < 200; guard += 1) {
    pattern.lastIndex = from;
    const match = pattern.exec(text);
    if (match === null) break;
    const [whole, before = "", digits = "", unit = ""] = match;
    from = match.index + whole.length - unit.length;
    const word = digits.toLowerCase();
    const spelled = word === "a" || word === "an" ? 1 : WORDS.indexOf(word);
    // `one of them` counts nothing.
    if (word === "one" && /^(?:of|or|and)?$/i.test(unit)) continue;
    found.push({
      value: spelled >= 0 ? spelled : Number(digits.replaceAll(",", "")),
      unit: unit.toLowerCase(),
      before: before.toLowerCase(),
    });
  }
  return found;
}
