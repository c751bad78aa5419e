import { scrubRecording } from "@pollux/core/rehearsal";
import { fieldsOf, isFields, listOf } from "../inspection/read-values.ts";
import { SessionFold } from "../inspection/session-fold.ts";

/** A session without people's words, with counts of the removed texts. */
export interface WithoutPeople {
  readonly fold: SessionFold;
  /** Messages and answers to questions that were removed entirely. */
  readonly whole: number;
  /** Other texts with passages that repeated them. */
  readonly repeated: number;
}

/** Stands for a removed passage. */
const GAP = "[…]";
/** Length of a repeated passage that is removed. */
const WORDS = 4;

/**
 * Removes people's words: messages, answers to questions, and, from texts of models and tools, passages that repeat four or more of
 * their words in a row, and each of their numbers, addresses and ids. Paraphrases and single names stay.
 */
export function withoutPeople(fold: SessionFold): WithoutPeople {
  const personal = new Set(fold.entries.flatMap(personalTexts));
  const [passages, tokens] = [new Set<string>(), new Set<string>()];
  for (const text of personal) {
    const words = wordsOf(text);
    for (const [at, { word }] of words.entries()) {
      if (isIdentifying(word)) tokens.add(word);
      if (at + WORDS <= words.length) passages.add(passageAt(words, at));
    }
  }
  const [whole, repeated] = [new Set<string>(), new Set<string>()];
  const hide = (text: string): string => {
    if (personal.has(text)) {
      whole.add(text);
      return `[removed: ${text.length.toLocaleString("en-US")} characters that a person wrote]`;
    }
    const hidden = hidePassages(text, passages, tokens);
    if (hidden !== text) repeated.add(text);
    return hidden;
  };
  const { recording } = scrubRecording({ log: fold.entries, exchanges: [] }, hide);
  return { fold: SessionFold.of(fold.id, recording.log), whole: whole.size, repeated: repeated.size };
}

/** Texts of people in an entry. */
function personalTexts(entry: unknown): readonly string[] {
  const { type, input, contents, parts: segments, value } = fieldsOf(entry);
  if (type === "answer") return textsIn(value);
  const lists =
    type === "history"
      ? listOf(segments).map((segment) => fieldsOf(segment)["contents"])
      : [type === "run" ? input : type === "steer" ? contents : []];
  return lists.flatMap(listOf).flatMap((content) => {
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

/** In scripts without spaces, each character is a word. */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}@._+'’-]*[\p{L}\p{N}])?/gu;

function wordsOf(text: string): readonly Word[] {
  return Array.from(text.matchAll(WORD), ({ 0: word, index }) => ({
    word: word.toLowerCase(),
    start: index,
    end: index + word.length,
  }));
}

/** True for words that can identify a person: numbers, addresses, ids. */
function isIdentifying(word: string): boolean {
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
    // Text between two removed words is removed, too.
    const before = words[at - 1];
    const goesOn = before !== undefined && before.end === shownTo && hidden.endsWith(GAP);
    if (!goesOn) hidden += text.slice(shownTo, start) + GAP;
    shownTo = end;
  }
  return hidden + text.slice(shownTo);
}
