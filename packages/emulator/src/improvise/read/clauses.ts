import { operationsIn } from "./arithmetic.ts";
import { type Material, materialOf } from "./material.ts";
import { meaningOf } from "./meanings.ts";
import { stem, wordsOf } from "./words.ts";

/** One thing that a prompt asks for. */
export interface Clause {
  readonly text: string;
  readonly material: Material;
  /** Words that it says, stemmed. */
  readonly said: ReadonlySet<string>;
  /** Words that it says or means, stemmed. */
  readonly words: ReadonlySet<string>;
  /** Words that it means without saying them, stemmed; also in what it wants said, kept or looked for. */
  readonly implied: ReadonlySet<string>;
  /** False for greetings, thanks, statements, and what only a model can make up. */
  readonly isRequest: boolean;
  /** True if it reads like a question or a request, not like a word or two that somebody typed to see what happens. */
  readonly isQuestion: boolean;
  /** True if it only says something. */
  readonly isStatement: boolean;
  /** True if it can only be done after the one before it. */
  readonly isLater: boolean;
  /** True if it refers to something named before: `how big is it?` */
  readonly refersBack: boolean;
}

const MAX_PROMPT = 12_000;
const MAX_TAIL = 4_000;
const MAX_CLAUSE = 1_500;
const MAX_CLAUSES = 40;
/** What a request means is read from its beginning. */
const MAX_MEANING = 400;

const VERBS =
  "add|append|answer|ask me|book|buy|calculate|call|cancel|change|check|compare|compute|convert|copy|count|create|delete|describe|divide|download|draw|edit|email|execute|explain|fetch|find|forget|generate|get|give|go|google|have (?:the|it)|list|look|make|mark|move|multiply|notify|open|order|pay|play|post|print|publish|put|read|remember|remind|remove|rename|recommend|replace|reserve|roll|run|save|scale|schedule|search|send|set|show|subtract|sum up|summari[sz]e|switch|tell me|track|translate|turn|update|use|visit|write";
const ASKED = new Set(VERBS.split(/[| ]/).map(stem));
const ASKING =
  "what(?:'s|s|’s)?|who(?:'s|’s)?|how|when|where(?:'s|’s)?|which|why|is|are|does|do|did|can|could|will|would|should";
const STARTS = String.raw`(?:please\s+|also\s+)?(?:${VERBS}|${ASKING})`;
const BREAKS = new RegExp(
  String.raw`[.!?]+(?=\s|$)\s*|\n+\s*|;\s+|,?\s+(?:and then|then|after that|afterwards|and also|and|also|plus|but)[,\s]+(?=${STARTS}\b)|,\s+(?=(?:then\s+)?${STARTS}\b)`,
  "gi",
);
/** What follows belongs to what is to be said, kept or listed, however it is worded. */
const VERBATIM =
  /:\s|\b(?:saying|remember that|note that|remind me|tell (?:him|her|them|[A-Z]\w+) that|with the (?:text|content|message|body)|that (?:says|contains))\b/;

const SUBJECT = new RegExp(
  String.raw`${VERBATIM.source}|\b(?:search|look|browse|check)\b.{0,20}\b(?:web|internet|online)\b|\bgoogle\b`,
  "i",
);

const LEADS = new RegExp(String.raw`^${STARTS}\b|\b(?:about|for|in|of|the)\b`, "i");

const SMALL_TALK =
  /^(?:hi|hello|hey|good (?:morning|afternoon|evening|night)|thanks?|thank you|cheers|ok(?:ay)?|great|nice|cool|wow|bye|goodbye|sorry|yes|no|welcome)\b(?!.*\b(?:please|can you|could you)\b)/i;
const STATEMENT =
  /^(?:i|i'm|i’m|i've|i’ve|my|we|we're|our|it|it's|he|she|they|this|that|there|you|your|you're)\b(?!['’]?d? (?:need|want|would like|'d like|like to know|must know|have to know)\b)/i;
const CREATIVE =
  /\b(?:jokes?|poems?|haikus?|stor(?:y|ies)|songs?|essays?|limericks?|riddles?|lyrics|meaning of life)\b/i;
/** `What is the date tomorrow?` asks for the date in one day. */
const DAY_BESIDE =
  /\b(what(?:['’]s| is| was| will be)? (?:the )?(?:date|day|weekday)\b.{0,20}?\b)(tomorrow|yesterday)\b/gi;
const BACK = /\b(?:it|its|that|this|there|them|these|those|same|again|one|him|her)\b/i;

/** What a prompt asks for, in order; at most forty requests. Of a long prompt, only its beginning and its end are read. */
export function clausesOf(prompt: string): readonly Clause[] {
  const read =
    prompt.length > MAX_PROMPT ? `${prompt.slice(0, MAX_PROMPT - MAX_TAIL)}\n${prompt.slice(-MAX_TAIL)}` : prompt;
  const text = read
    .replaceAll(/\S{301,}/g, (token) => token.slice(0, 300))
    .replaceAll(DAY_BESIDE, (_, asked: string, day: string) => `${asked}${/^t/i.test(day) ? "in 1 day" : "1 day ago"}`);
  const clauses: Clause[] = [];
  for (const { words, isLater } of split(text).slice(0, MAX_CLAUSES)) {
    const clause = clauseOf(words.slice(0, MAX_CLAUSE), isLater);
    const before = clauses.at(-1);
    // `Read one of them` is about what the request before it names.
    const named = before === undefined || !clause.refersBack ? [] : [...before.said].filter((word) => !ASKED.has(word));
    clauses.push(
      named.length === 0 || !clause.isRequest ? clause : { ...clause, words: new Set([...clause.words, ...named]) },
    );
  }
  return clauses;
}

function clauseOf(text: string, isLater: boolean): Clause {
  const material = materialOf(text);
  // What is to be said, kept or looked for says nothing about how.
  const subject = SUBJECT.exec(text);
  const head = subject === null ? text : text.slice(0, subject.index + subject[0].length);
  // `12 times 12` says nothing about the time.
  const said = wordsOf(
    (subject === null ? material.plain : materialOf(head).plain).replaceAll(/\btimes\s+(?=-?\d)/gi, ""),
  );
  const implied = [
    meaningOf(head.slice(0, MAX_MEANING)),
    ...(material.paths.some((path) => /\.\w+$|^[A-Z]\w+$/.test(path)) ? ["file"] : []),
    ...(material.urls.length > 0 ? ["url web page fetch"] : []),
    ...(material.emails.length > 0 ? ["email"] : []),
    ...(material.currencies.length > 1 ? ["currency convert"] : []),
    ...(material.sql.length > 0 ? ["sql query database"] : []),
    ...(material.expressions.length > 0
      ? ["calculator expression evaluate math arithmetic", ...operationsIn(text, material.expressions)]
      : []),
  ].join(" ");
  const isCreative = CREATIVE.test(text);
  const isStatement = !text.trimEnd().endsWith("?") && STATEMENT.test(text);
  return {
    text,
    material,
    said,
    words: isCreative ? new Set() : new Set([...said, ...wordsOf(implied)]),
    implied: wordsOf(meaningOf(text.slice(0, MAX_MEANING))),
    isRequest: !isCreative && !SMALL_TALK.test(text) && !isStatement,
    isStatement,
    isQuestion:
      /\?\s*$/.test(text) ||
      LEADS.test(text) ||
      material.names.length > 0 ||
      material.quoted.length > 0 ||
      said.size > 3,
    isLater,
    refersBack: BACK.test(material.plain),
  };
}

interface Piece {
  readonly words: string;
  readonly isLater: boolean;
}

function split(text: string): Piece[] {
  // What is quoted is not split; a file's name keeps its dot because no space follows.
  const masked = text.replaceAll(/"[^"\n]{1,300}"|“[^”\n]{1,300}”|`[^`\n]{1,300}`/g, (quote) =>
    "x".repeat(quote.length),
  );
  const pieces: Piece[] = [];
  let from = 0;
  let isLater = false;
  let verbatim = -1;
  for (const match of masked.matchAll(BREAKS)) {
    const isEnd = /^(?:[.!?]+(?!\d)|\n)/.test(match[0]);
    if (verbatim < from) {
      const found = VERBATIM.exec(masked.slice(from, match.index));
      // Quotes say themselves where they end.
      const isQuoted =
        found !== null && /^\s*["“`]/.test(text.slice(from + found.index + found[0].length, match.index));
      verbatim = found === null || isQuoted ? -1 : from + found.index;
    }
    const isList =
      verbatim >= from &&
      match[0].startsWith("\n") &&
      /^(?:[-*•]|\d+[.)])\s/.test(masked.slice(match.index + match[0].length, match.index + match[0].length + 4));
    if (verbatim >= from && verbatim < match.index && (!isEnd || isList)) continue;
    // The mark belongs to its sentence: a question ends with one.
    const end = match.index + (/^[.!?]+/.exec(match[0])?.[0].length ?? 0);
    add(text.slice(from, end));
    from = match.index + match[0].length;
    isLater =
      /\bthen\b|\bafter that\b|\bafterwards\b/i.test(match[0]) ||
      /^(?:then|after that|afterwards|finally)\b/i.test(masked.slice(from, from + 12));
  }
  add(text.slice(from));
  return pieces;

  function add(words: string): void {
    const trimmed = words
      .trim()
      .replace(/^(?:and|then|also|please|after that|afterwards|finally|first|next)[,\s]+(?=\S+\s)/i, "");
    if (/[\p{L}\d]/u.test(trimmed)) pieces.push({ words: trimmed, isLater: isLater && pieces.length > 0 });
  }
}
