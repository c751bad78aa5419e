/** Phrases that imply a function, each with words from the names of such functions. */
const MEANINGS: readonly (readonly [phrase: RegExp, words: string])[] = [
  [/\b(?:umbrella|rain(?:s|y|ing)?|sunny|snow|coat|jacket|temperature|how (?:warm|cold|hot))\b/i, "weather forecast"],
  [/\b(?:search|look) (?:the web|online|for)\b|\blook up\b|\b(?:news|latest)\b/i, "search web google"],
  [/\bhow (?:big|large|many (?:bytes|lines|words))\b|\bsize of\b/i, "size file stats"],
  [/\b(?:what(?:'s| is)|show|open|summari[sz]e)\b.*\b(?:[\w-]+\.\w{1,5}\b|[A-Z]{4,}\b)/, "read file content"],
  [
    /\b(?:what|which|how many|show)\b.*\b(?:folder|directory|files)\b(?!.*\bmention)|\bbiggest file\b/i,
    "list files folder",
  ],
  [/\b(?:in|show me) (?:src|docs|tests?|packages|examples|[\w-]+\/[\w/-]+)[?.!]*$/i, "list files folder"],
  [
    /\b(?:find|search|grep)\b.*\b(?:files|code|source)\b|\bmentions?\b|\bwhere\b.*\b(?:used|defined)\b/i,
    "search files pattern",
  ],
  [/\b(?:write|create|make|save)\b.*[\w-]\.\w{1,5}\b/i, "write file"],
  [/\bask me\b/i, "ask user question"],
  [/\b(?:remember|note)(?: that\b|:)/i, "write note"],
  [/\bwhat time is it\b|\bwhat(?:'s| is) the (?:time|date)\b/i, "current time date clock"],
  [/\b(?:run|execute)\b/i, "run command"],
  [/\b(?:tables|rows|database)\b|\bhow many (?:customers|orders|users)\b/i, "sql database query"],
  [/\b[A-Z]{3} (?:to|in|into) [A-Z]{3}\b/, "convert currency exchange rate"],
  [/\bcosts?\b|\bhow much\b/i, "price cost"],
];

/** The words that a request implies. */
export function meaningOf(text: string): string {
  return MEANINGS.flatMap(([phrase, words]) => (phrase.test(text) ? [words] : [])).join(" ");
}
