import { scrubRecording } from "@pollux/core/rehearsal";
import { fieldsOf, isFields, listOf } from "../inspection/read-values.ts";
import { SessionFold } from "../inspection/session-fold.ts";

/** A session without what people said, and how much that was. */
export interface WithoutPeople {
  readonly fold: SessionFold;
  /** Messages and answers to questions that are taken out whole. */
  readonly whole: number;
  /** Other texts that repeated something of them. */
  readonly repeated: number;
}

/** What stands for a passage that is taken out. */
const GAP = "[…]";
/** So many words in a row that a person said are taken out wherever they are repeated. */
const WORDS = 4;

/**
 * Takes out what people said: messages, and answers to questions; and in what models and tools wrote, passages that repeat four words or
 * more of it, and each number, address and id of it. Paraphrases and names alone stay.
 */
export function withoutPeople(fold: SessionFold): WithoutPeople {
  const said = new Set(fold.entries.flatMap(saidIn));
  const [passages, tokens] = [new Set<string>(), new Set<string>()];
  for (const text of said) {
    const words = wordsOf(text);
    for (const [at, { word }] of words.entries()) {
      if (isTelling(word)) tokens.add(word);
      if (at + WORDS <= words.length) passages.add(passageAt(words, at));
    }
  }
  const [whole, repeated] = [new Set<string>(), new Set<string>()];
  const hide = (text: string): string => {
    if (said.has(text)) {
      whole.add(text);
      return `[taken out: ${text.length.toLocaleString("en-US")} characters that a person said]`;
    }
    const hidden = hidePassages(text, passages, tokens);
    if (hidden !== text) repeated.add(text);
    return hidden;
  };
  const { recording } = scrubRecording({ log: fold.entries, exchanges: [] }, hide);
  return { fold: SessionFold.of(fold.id, recording.log), whole: whole.size, repeated: repeated.size };
}

/** Texts of people in an entry. */
function saidIn(entry: unknown): readonly string[] {
  const { type, input, contents, value } = fieldsOf(entry);
  if (type === "answer") return textsIn(value);
  const list = type === "run" ? input : type === "steer" || type === "history" ? contents : [];
  return listOf(list).flatMap((content) => {
    const { role, parts } = fieldsOf(content);
    return role === "model" ? [] : listOf(parts).flatMap((part) => textsIn(fieldsOf(part)["text"]));
  });
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return value === "" ? [] : [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isFields(value) ? Object.values(value).flatMap(textsIn) : [];
}

interface Word {
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

/** Each sign of a script that has no spaces is a word. */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}@._+'’-]*[\p{L}\p{N}])?/gu;

function wordsOf(text: string): readonly Word[] {
  return Array.from(text.matchAll(WORD), ({ 0: word, index }) => ({
    word: word.toLowerCase(),
    start: index,
    end: index + word.length,
  }));
}

/** True for what tells of a person by itself: a number, an address, an id. */
function isTelling(word: string): boolean {
  return word.length >= 3 && /[\p{N}@]/u.test(word);
}

function passageAt(words: readonly Word[], at: number): string {
  return words
    .slice(at, at + WORDS)
    .map(({ word }) => word)
    .join(" ");
}

function hidePassages(text: string, passages: ReadonlySet<string>, tokens: ReadonlySet<string>): string {
  const words = wordsOf(text);
  let [hidden, shownTo, hiddenTo] = ["", 0, 0];
  for (const [at, { word, start, end }] of words.entries()) {
    if (at + WORDS <= words.length && passages.has(passageAt(words, at))) hiddenTo = at + WORDS;
    if (at >= hiddenTo && !tokens.has(word)) continue;
    // What lies between two words that are taken out goes, too.
    const before = words[at - 1];
    const goesOn = before !== undefined && before.end === shownTo && hidden.endsWith(GAP);
    if (!goesOn) hidden += text.slice(shownTo, start) + GAP;
    shownTo = end;
  }
  return hidden + text.slice(shownTo);
}
