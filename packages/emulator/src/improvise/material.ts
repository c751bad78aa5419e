/** Words from a conversation for use in arguments and answers, each list in order of appearance without duplicates. */
export interface Material {
  readonly paths: readonly string[];
  readonly urls: readonly string[];
  readonly emails: readonly string[];
  readonly dates: readonly string[];
  readonly quoted: readonly string[];
  readonly numbers: readonly number[];
  /** Expressions to evaluate, such as `17 * 23`. */
  readonly expressions: readonly string[];
  /** Capitalized words inside sentences: places, people, products. */
  readonly names: readonly string[];
  /** Lower-case words, for comparison. */
  readonly words: ReadonlySet<string>;
  readonly text: string;
}

// Capitalized at the start of a sentence or of a request, but not names.
const COMMON = new Set(
  "a an and are as at be but by can compare could create delete describe did do does explain extract fetch find for from get give go has have hello help hi how i if in is it its let list look make may me my need of on or please plan read say search send should show so sum summarise summarize tell thank thanks that the then there these they this to today tomorrow translate use was we were what when where which who why will with write would yes you your monday tuesday wednesday thursday friday saturday sunday json api url".split(
    " ",
  ),
);

/** Extracts the material from a text. */
export function materialOf(text: string): Material {
  const all = (pattern: RegExp, group = 0): string[] =>
    unique([...text.matchAll(pattern)].map((match) => match[group] ?? ""));
  const urls = all(/https?:\/\/[^\s"'<>)\]]+/g).map((url) => url.replace(/[.,;:!?]+$/, ""));
  const emails = all(/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g);
  const withoutAddresses = text.replaceAll(/https?:\/\/\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, " ");
  const paths = unique(
    [
      ...withoutAddresses.matchAll(
        /(?:~|\.{1,2})?(?:\/[\w.@-]+)+\/?|\b[\w@-]+(?:\/[\w.@-]+)+|\b[\w-]+\.(?:[a-z]{2,4}|[ch]|json5|ya?ml)\b/g,
      ),
    ].map(([path]) => path.replace(/\.$/, "")),
  ).filter((path) => !/^(?:\/|\d+\/\d+)$/.test(path));
  const dates = all(/\b\d{4}-\d{2}-\d{2}\b/g);
  const expressions = all(/(?:\(\s*)*-?\d[\d.]*(?:\s*[-+*/×÷^]\s*(?:\(\s*)*-?\d[\d.]*(?:\s*\))*)+/g).filter(
    (expression) => !dates.some((date) => date.includes(expression.trim())),
  );
  return {
    paths,
    urls,
    emails,
    dates,
    quoted: unique(
      [...text.matchAll(/"([^"\n]{1,200})"|“([^”\n]{1,200})”|`([^`\n]{1,200})`|(?<=^|\s)'([^'\n]{1,200})'/g)].map(
        (match) => match.slice(1).find(Boolean) ?? "",
      ),
    ),
    numbers: unique(all(/(?<![\w.-])-?\d+(?:\.\d+)?(?![\w-])/g).map(Number)),
    expressions: expressions.map((expression) => expression.trim()),
    names: namesIn(withoutAddresses),
    words: wordsOf(text),
    text,
  };
}

/** The words of a text or of an identifier, in lower case and roughly stemmed. */
export function wordsOf(text: string): ReadonlySet<string> {
  const separated = text.replaceAll(/(?<=[a-z\d])(?=[A-Z])/g, " ").toLowerCase();
  return new Set((separated.match(/[\p{L}\d]+/gu) ?? []).map((word) => stem(word)));
}

function stem(word: string): string {
  return word.length > 4 ? word.replace(/(?:ations?|ators?|ates?|ing|ed|es|s|e)$/, "") : word;
}

function namesIn(text: string): string[] {
  const found = [...text.matchAll(/\p{Lu}[\p{L}\d'’-]*(?:[ \t]+\p{Lu}[\p{L}\d'’-]*)*/gu)].flatMap(
    ({ 0: phrase, index }) => {
      const words = phrase.split(/\s+/);
      while (words.length > 0 && COMMON.has((words[0] ?? "").toLowerCase())) words.shift();
      const name = words.join(" ").replace(/['’]s$/, "");
      const before = text.slice(0, index).trimEnd();
      const opens = words.length === 1 && phrase === words[0] && (before === "" || /[.!?:\n]$/.test(before));
      // A capital at the start of a sentence means nothing, unless the word is part of a list of names.
      const inRow = /^\s*(?:,|and|or|&|vs\.?)\s+\p{Lu}/u.test(text.slice(index + phrase.length));
      return name.length > 1 ? [{ name, doubtful: opens && !inRow }] : [];
    },
  );
  const sure = found.filter(({ doubtful }) => !doubtful);
  return unique((sure.length > 0 ? sure : found).map(({ name }) => name));
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)].filter((value) => value !== "");
}
