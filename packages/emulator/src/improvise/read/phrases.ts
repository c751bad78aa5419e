/** Words that ask for something, to be removed from what they ask for. */
const LEAD =
  /^(?:(?:please|hey|hi|ok|okay|and|also|then|can you|could you|would you|will you|i(?:'d| would) like (?:you )?to|i want (?:you )?to|i need (?:you )?to|go|help me)[,\s]+)+/i;
const ASKS =
  /^(?:search(?: (?:the )?(?:web|internet|online|notes|my notes|files|code))?(?: for)?|look(?: up| for| into)?|google(?: for)?|(?:find|get) me(?: (?:an?|some|the))?|find(?: out)?(?: (?:about|where|what|who|all|any|every))?|(?:tell|show|give) me(?: (?:about|what|everything about|the|all|all the))?|what(?:'s| is| are| was| were)(?: the)?|who(?:'s| is| was)|what do (?:you|we|i) (?:know|remember|have)(?: (?:about|on))?|explain|describe|summari[sz]e|list|get|read|research|where (?:is|are|do we use|is the)|check)\s+/i;
const ABOUT = /\b(?:about|regarding|concerning|on the topic of|called|named|titled)\s+(.+)$/i;

/** Requests whose first half says nothing about their subject. */
const RECALLS = /^(?:tell|what do|do you|remind|delete|forget|remove|e-?mail|send|write|update|show|read|ask)\b/i;

/** What a request is about: `search the web for cheap flights` is about `cheap flights`. */
export function topicOf(text: string): string {
  const line = (text.split("\n").find((row) => row.trim() !== "") ?? "").slice(0, 300).trim();
  const bare = line.replace(LEAD, "");
  const about = RECALLS.test(bare) ? ABOUT.exec(bare)?.[1] : undefined;
  const topic = (about?.split(": ")[0] ?? bare.replace(ASKS, ""))
    .replace(/^(?:the web for|for)\s+/i, "")
    .replace(/[\s?!.:,;]+$/, "")
    .replace(/^["'“`]|["'”`]$/g, "");
  return topic === "" ? bare.replace(/[\s?!.:,;]+$/, "") : topic;
}

/** Words to be passed on: quoted, after a colon, or after `saying` or `that`. */
export function saidIn(text: string): string[] {
  const exact = EXACT.map((pattern) => pattern.exec(text)?.[1]).find((found) => found !== undefined);
  const loose = exact ?? LOOSE.map((pattern) => pattern.exec(text)?.[1]).find((found) => found !== undefined) ?? "";
  const words = loose.replace(/^["“'`]|["”'`]?[.!]?$/g, "").trim();
  if (words === "") return [];
  return [exact === undefined ? `${words.slice(0, 1).toUpperCase()}${words.slice(1)}` : words];
}

/** What goes into a file, letter for letter. */
const EXACT = [
  /\bwith (?:the )?(?:content|contents|text)(?: of)?[:\s]+(.+)$/is,
  /\b(?:that|which) (?:contains|says)\s+(.+)$/is,
  /\b(?:write|save|put|append)\s+(?!an?\b|the\b)(.+?)\s+(?:to|into|in)\s+(?:the file\s+)?[\w./-]+\.\w+/is,
];
/** What is said or kept, as a sentence. */
const LOOSE = [
  /\b(?:saying|says|to say)(?: that)?[:\s]+(.+)$/is,
  /\b(?:remember|note|tell (?:him|her|them|everyone|[A-Z]\w+)|remind (?:me|us)|know|message|mention)(?: that|:)\s+(.+)$/is,
  /\bwith (?:the )?(?:message|body|words)(?: of)?[:\s]+(.+)$/is,
  /:\s+(.+)$/s,
  /\bmake (?:me )?an? (?:plan|to-?do list) (?:for|to|of)\s+(.+)$/is,
  /\bremind (?:me|us) to\s+(.+)$/is,
  /\bask (?:the|my|our) (?!user\b)\w+\s+(?:to\s+)?(.+)$/is,
  /\b(?:tell|ask|inform|notify) (?:him|her|them|everyone|[A-Z]\w+) (?:that )?(.+)$/s,
  /\b(?:remind|remember)(?: (?:me|us))?\s+((?:to|my|our)\s.+)$/is,
  /\b(?:add|write|make|save|create)\s+(?:an? )?(?:note|todo|reminder)\s+(?:about|to|for|that)\s+(.+)$/is,
  /\bemail\b.*?\bthat\s+(.+)$/is,
];

/** `Does any file mention copyright?` looks for copyright, `Is there a function called add?` for add. */
export function mentionedIn(text: string): string[] {
  const named =
    /\b(?:function|class|method|variable|constant|type) (?:called|named)\s+["“`]?(\w+)/i.exec(text)?.[1] ??
    /\b(?:find|search for) the (?:word|text|string)\s+(\w+)/i.exec(text)?.[1];
  const found =
    /\b(?:files?|lines?)\b[^.?!]*?\b(?:mention|contain|use|match|include)s?\s+(?:the (?:word|text)\s+)?(\S.*?)[\s?.!]*$/i.exec(
      text,
    )?.[1];
  return [named, found].filter((one) => one !== undefined);
}

/** The items of a list after a colon: `Plan: buy milk, cook and eat`. */
export function listIn(text: string): string[] {
  const after = /:\s+(.+)$/s.exec(text)?.[1];
  if (after === undefined) return [];
  return after
    .split(/\s*\n\s*(?:[-*•]|\d+[.)])?\s*|\s*[,;]\s*(?:and\s+|then\s+)?|\s+(?:and(?: then)?|then)\s+/)
    .map((item) =>
      item
        .replace(/^(?:[-*•]|\d+[.)])\s+/, "")
        .replace(/[.!?]+$/, "")
        .trim(),
    )
    .filter((item) => item !== "")
    .slice(0, 50);
}

/** The words that a request replaces, and what replaces them. */
export function swapIn(text: string): readonly [string, string] | undefined {
  const word = String.raw`(?:"([^"]+)"|“([^”]+)”|'([^']+)'|${"`([^`]+)`"}|([^\s"'“]+))`;
  const rest = String.raw`(\S[^"'“\n]{0,80}?)(?=\s+in\s+(?:the\s+)?(?:file\s+)?[\w./-]+\.\w)`;
  const found = new RegExp(
    String.raw`\b(?:replace|change|rename|correct|swap)\s+(?:the (?:word|text|string|line|name|variable|constant|function|class|method|type|value)\s+)?${word}\s+(?:with|by|to|into|for)\s+(?:${rest}|${word})`,
    "i",
  ).exec(text);
  if (found === null) return undefined;
  const old = found.slice(1, 6).find((group) => group !== undefined) ?? "";
  const next = found.slice(6).find((group) => group !== undefined) ?? "";
  return [old, next.replace(/[,;.]$/, "")];
}

/** A shell command: in quotes or backticks, or the words after `run`. */
export function commandIn(text: string, quoted: readonly string[]): string[] {
  const after = /\b(?:run|execute)\s+(?:the (?:shell )?command\s+)?[:\s]*(.+)$/is.exec(text)?.[1]?.trim();
  const known = /\bgit (?:status|log|diff|branch)\b/i.exec(text)?.[0];
  const program = /\bversion of (node|npm|git|python3?|docker)\b/i.exec(text)?.[1];
  if (after === undefined && known !== undefined) return [known.toLowerCase()];
  if (after === undefined && program !== undefined) return [`${program.toLowerCase()} --version`];
  if (after === undefined)
    return quoted.filter((words) => /^(?:ls|cat|git|npm|node|echo|pwd|grep|find|curl)\b/.test(words));
  if (quoted.length > 0) return [...quoted];
  const bare = after.replace(/[.?!]+$/, "").replace(/\s+(?:in the shell|for me|please|and (?:tell|show) me.*)$/i, "");
  return /^(?:the|a|an|my|our|some|it|this|that|all|query|sql|tests?)\b/i.test(bare) ? [] : [bare];
}

/** SQL statements, from `SELECT` to the end of their sentence. */
export function sqlIn(text: string): string[] {
  const found =
    /\b(?:select\s+[\s\S]+?\s+from\s+\w[\s\S]*|select\s+\d[\s\S]*|with\s+\w+\s+as\s*\([\s\S]+|values\s*\([\s\S]+)/i.exec(
      text,
    )?.[0];
  return found === undefined
    ? []
    : [
        found
          .split(/;|["`”]\s|\n\n/)[0]
          ?.replace(/["`”?.\s]+$/, "")
          .trim() ?? "",
      ];
}
