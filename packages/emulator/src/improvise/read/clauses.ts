import { stem, wordsOf } from "../../internal/words.ts";
import { type Material, materialOf } from "./material.ts";
import { meaningOf } from "./meanings.ts";

/** One request or statement of a prompt. */
export interface Clause {
  readonly text: string;
  readonly material: Material;
  /** Words of its text, stemmed. */
  readonly ownWords: ReadonlySet<string>;
  /** Words of its text and implied words, stemmed. */
  readonly words: ReadonlySet<string>;
  /** False for a statement. */
  readonly isRequest: boolean;
  /** True if it reads like a question, not like a word or two typed to see what happens. */
  readonly isQuestion: boolean;
  /** True if it can only be done after the one before it. */
  readonly isLater: boolean;
}

const MAX_PROMPT = 12_000;
const MAX_CLAUSE = 1_500;
const MAX_CLAUSES = 40;
/** Implied words come from the beginning of a request. */
const MAX_MEANING = 400;

const STARTS =
  "(?:please\\s+)?(?:add|ask|book|buy|calculate|call|cancel|compare|compute|convert|count|create|delete|draw|explain|fetch|find|get|give|have the|list|look|make|open|order|pay|pick|read|refund|remove|run|save|search|send|set|show|summari[sz]e|tell|translate|write|what|who|how|when|where|which|is|are|does|do|can)";
const BREAKS = new RegExp(
  String.raw`[.!?]+(?=\s|$)\s*|\n+\s*|;\s+|,?\s+(?:and then|then|and also|and)[,\s]+(?=${STARTS}\b)|,\s+(?=${STARTS}\b)`,
  "gi",
);
const ASKS = new RegExp(String.raw`^${STARTS}\b`, "i");
/** The words after it are a text to send, keep or list, not requests. */
const VERBATIM = /(?::|\b(?:saying|remember that|note that|with the (?:text|content)))\s(?!["“`])/;
const STATEMENT = /^(?:thanks|thank you|my|we|our|it|he|she|they|this|that|there|you|your|i(?:'m|’m| am| have))\b/i;
const SEARCH = /\b(?:search|look) (?:(?:the )?(?:web|internet)|online|for)\b/i;

/** The requests and statements of a prompt, in order: at most 40, from its first 12,000 characters. */
export function clausesOf(prompt: string): readonly Clause[] {
  const text = prompt.slice(0, MAX_PROMPT).replaceAll(/\S{301,}/g, (token) => token.slice(0, 300));
  return split(text)
    .slice(0, MAX_CLAUSES)
    .map(({ words, isLater }) => clauseOf(words.slice(0, MAX_CLAUSE), isLater));
}

function clauseOf(text: string, isLater: boolean): Clause {
  const material = materialOf(text);
  // A text to send, keep or search for doesn't tell which function to call.
  const subject = VERBATIM.exec(text) ?? SEARCH.exec(text);
  const head = subject === null ? text : text.slice(0, subject.index + subject[0].length);
  const plain = subject === null ? material.plain : materialOf(head).plain;
  // `12 times 12` is not about the time.
  const ownWords = wordsOf(plain.replaceAll(/\btimes\s+(?=-?\d)/gi, ""));
  const implied = [
    meaningOf(head.slice(0, MAX_MEANING)),
    ...(material.paths.length > 0 ? ["file"] : []),
    ...(material.urls.length > 0 ? ["url web page fetch"] : []),
    ...(material.sql.length > 0 ? ["sql query database"] : []),
    ...(material.expressions.length > 0 ? ["calculator expression add"] : []),
  ].join(" ");
  const isRequest = text.endsWith("?") || !STATEMENT.test(text);
  return {
    text,
    material,
    ownWords,
    words: new Set([...ownWords, ...[...wordsOf(implied)].map(stem)]),
    isRequest,
    isQuestion: isRequest && (text.endsWith("?") || ASKS.test(text) || material.names.length > 0 || ownWords.size > 2),
    isLater,
  };
}

function split(text: string): { readonly words: string; readonly isLater: boolean }[] {
  // Quotes are not split; a file's name keeps its dot because no space follows.
  const masked = text.replaceAll(/"[^"\n]{1,300}"|“[^”\n]{1,300}”|`[^`\n]{1,300}`/g, (quote) =>
    "x".repeat(quote.length),
  );
  const pieces: { words: string; isLater: boolean }[] = [];
  let from = 0;
  let isLater = false;
  const add = (words: string): void => {
    const trimmed = words.trim();
    if (/[\p{L}\d]/u.test(trimmed)) pieces.push({ words: trimmed, isLater: isLater && pieces.length > 0 });
  };
  for (const match of masked.matchAll(BREAKS)) {
    const isEnd = /^[.!?\n]/.test(match[0]);
    if (!isEnd && VERBATIM.test(text.slice(from, match.index))) continue;
    // The mark belongs to its sentence: a question ends with one.
    add(text.slice(from, match.index + (/^[.!?]+/.exec(match[0])?.[0].length ?? 0)));
    from = match.index + match[0].length;
    isLater = /\bthen\b/i.test(match[0]) || /^then\b/i.test(masked.slice(from, from + 5));
  }
  add(text.slice(from));
  return pieces;
}
