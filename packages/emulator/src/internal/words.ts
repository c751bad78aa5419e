const STOP_WORDS = new Set(
  "a an the of in on to for and or is are was were be been am i me my mine we us our you your he she it its they them their this that these those there here with from by at as if so do does did can could will would shall should may might must has have had not no yes just also please one ones some any all each every other than then when where which who whom whose why what how about into onto out over up down off only very too much many more most less few lot lots it's i'm let let's return returns given value values tool tools function".split(
    " ",
  ),
);

/** The words of a text or of an identifier, in lower case and roughly stemmed, without stop words. */
export function wordsOf(text: string): ReadonlySet<string> {
  return new Set(wordList(text).map(stem));
}

/** The words of a text or of an identifier in order, in lower case, without stop words. */
export function wordList(text: string): readonly string[] {
  return rawWords(text).filter((word) => !STOP_WORDS.has(word));
}

/** All words of a text or of an identifier in order, in lower case. */
export function rawWords(text: string): readonly string[] {
  return (
    text
      .replaceAll(/(?<=[a-z\d])(?=[A-Z])/g, " ")
      .toLowerCase()
      .match(/\p{L}[\p{L}'’]*|\d+/gu) ?? []
  );
}

/** The common stem of a word's forms: `files` and `file`, `running` and `run`, `calculator` and `calculate`. */
export function stem(word: string): string {
  if (word.length <= 3) return word;
  const singular = word
    .replace(/['’]s$/, "")
    .replace(/ies$/, "y")
    .replace(/(?<=[sxz]|ch|sh)es$/, "")
    .replace(/(?<!s)s$/, "");
  const base =
    singular.length > 7
      ? singular.replace(/(?:ations?|ators?|ates?|ated|ating|ing|ed)$/, "")
      : singular.length > 5
        ? singular.replace(/ing$/, "").replace(/(?<!e)ed$/, "")
        : singular.length > 4
          ? singular.replace(/(?<!e)ed$/, "")
          : singular;
  const bare = base.length > 3 ? base.replace(/e$/, "") : base;
  return bare.length > 3 ? bare.replace(/([^aeiou])\1$/, "$1") : bare;
}

/** The first characters of a text, not cut inside a surrogate pair. */
export function firstCharacters(text: string, count: number): string {
  if (text.length <= count) return text;
  return text.slice(0, count).replace(/[\uD800-\uDBFF]$/, "");
}
