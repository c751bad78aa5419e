import type { Material } from "./material.ts";
import { rawWords, stem, wordsOf } from "../../internal/words.ts";

/** Words of a request that never name its subject. */
const ASKING = new Set(
  "add ask available average book buy calculate call cancel check compare compute convert cost costs count create current currently define definition delete describe details do does exist explain fetch find get give how i info information know left list look lookup make me mean meaning means my need now of open order please price put read remove report run search see send set should show status still stock tell today tomorrow update use want we what when where which who why write you your".split(
    " ",
  ),
);
const MAX_READ = 500;

/** Words, stemmed. */
export type Words = Pick<ReadonlySet<string>, "has">;

/**
 * The subjects of a request: its quotes, messages and names, or else its own words, such as `bolts` in `How many bolts are in
 * stock?`, `apples` and `pears` in `the price of apples and pears`.
 *
 * @param naming - Words, stemmed, that name the function or its parameters.
 */
export function thingsIn({ quoted, messages, names, plain }: Material, naming: Words): readonly string[] {
  const others = names.filter((name) => ![...wordsOf(name)].every((word) => naming.has(word)));
  const named = [...quoted, ...messages, ...others];
  return named.length > 0 ? named : ownWords(plain, naming);
}

/** The first words that name a subject, and the others of the same list. */
function ownWords(plain: string, naming: Words): string[] {
  const things: string[] = [];
  let thing: string[] = [];
  let isRow = false;
  const end = (): void => {
    if (thing.length > 0 && (things.length === 0 || isRow)) things.push(thing.join(" "));
    thing = [];
    isRow = false;
  };
  for (const word of plain.slice(0, MAX_READ).match(/[\p{L}\d][\p{L}\d'’-]*|[^\s\p{L}\d]/gu) ?? []) {
    if (/^(?:,|and|or)$/i.test(word)) {
      const isInRow: boolean = thing.length > 0 || isRow;
      end();
      isRow = isInRow && things.length > 0;
    } else if (isThing(word, naming)) thing.push(word);
    else if (!(isRow && /^(?:an?|the)$/i.test(word))) {
      end();
      if (things.length > 0) break;
    }
  }
  end();
  return things;
}

function isThing(word: string, naming: Words): boolean {
  const [raw = ""] = rawWords(word);
  return /\p{L}/u.test(word) && wordsOf(word).size > 0 && !ASKING.has(raw) && !naming.has(stem(raw));
}

/** A text without the verb that names the function: `Reverse hello world` reverses `hello world`. */
export function withoutVerb(text: string, naming: Words): string {
  const [all, verb = ""] = /^(\p{L}+)\s+(?:the (?:word|text|string|sentence|phrase)\s+)?(?=\S)/u.exec(text) ?? [""];
  return naming.has(stem(verb.toLowerCase())) ? text.slice(all.length) : text;
}
