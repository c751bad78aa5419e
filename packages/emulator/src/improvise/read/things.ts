import type { Material } from "./material.ts";
import { rawWords, stem, wordsOf } from "../../internal/words.ts";

/** Words that ask for something or say how, not what. */
const ASKING = new Set(
  "add ask available average book buy calculate call cancel check compare compute convert cost costs count create current currently define definition delete describe details do does exist explain fetch find get give how i info information know left list look lookup make me mean meaning means my need now of open order please price put read remove report run search see send set should show status still stock tell today tomorrow update use want we what when where which who why write you your".split(
    " ",
  ),
);
const MAX_READ = 500;

/** Words, stemmed. */
export type Words = Pick<ReadonlySet<string>, "has">;

/**
 * What a request is about: what it quotes, says or names, otherwise in its own words: `bolts` in `How many bolts are in stock?`,
 * `apples` and `pears` in `the price of apples and pears`.
 *
 * @param naming - Words, stemmed, that name the function or what it takes.
 */
export function thingsIn({ quoted, said, names, plain }: Material, naming: Words): readonly string[] {
  const named = [...quoted, ...said, ...names.filter((name) => ![...wordsOf(name)].every((word) => naming.has(word)))];
  return named.length > 0 ? named : ownWords(plain, naming);
}

/** The first words that are about something, and those in a row with them. */
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
      const goesOn: boolean = thing.length > 0 || isRow;
      end();
      isRow = goesOn && things.length > 0;
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

/** A text without the verb that asks for the function: `Reverse hello world` reverses `hello world`. */
export function withoutVerb(text: string, naming: Words): string {
  const [all, verb = ""] = /^(\p{L}+)\s+(?:the (?:word|text|string|sentence|phrase)\s+)?(?=\S)/u.exec(text) ?? [""];
  return naming.has(stem(verb.toLowerCase())) ? text.slice(all.length) : text;
}
