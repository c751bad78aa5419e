/** Opening words of a request, which are not part of its topic. */
const LEAD =
  /^(?:(?:please|and|also|then|can you|could you|i(?:'d| would) like (?:you )?to|i want (?:you )?to|i need (?:you )?to)[,\s]+)+/i;
const ASKS =
  /^(?:search(?: (?:the )?(?:web|internet|files|code))?(?: for)?|look(?: up| for)?|find(?: me)?|(?:tell|show|give) me(?: (?:about|of|the|all))?|what(?:'s| is| are)(?: the)?|who(?:'s| is)|explain|describe|summari[sz]e|list|get|read|research|draw(?: me)?(?: an?| the)?|where (?:is|are))\s+/i;

/** The topic of a request: `cheap flights` in `search the web for cheap flights`. */
export function topicOf(text: string): string {
  const line = (text.split("\n").find((row) => row.trim() !== "") ?? "").slice(0, 300).trim();
  const bare = line.replace(LEAD, "").replace(/[\s?!.:,;]+$/, "");
  return bare.replace(ASKS, "").replace(/^["'“`]|["'”`]$/g, "");
}

/** Text for a file, verbatim. */
const EXACT =
  /\bwith (?:the )?(?:content|text)[:\s]+(.+)$|\bthat says\s+(.+)$|\b(?:write|save|append)\s+(?!an?\b|the\b)(.+?)\s+(?:to|into)\s+[\w./-]+\.\w+/is;
/** Text to send or keep, as a sentence: after a colon, `saying` or `that`, or after `ask my …`. */
const LOOSE =
  /\bsaying(?: that)?[:\s]+(.+)$|\b(?:remember|note|tell|e-?mail)\b.*?(?:\bthat|:)\s+(.+)$|:\s+(.+)$|\bask (?:the|my|our) (?!user\b)\w+\s+(?:to\s+)?(.+)$/is;

/** Text to pass on: after a colon, after `saying` or `that`. */
export function messagesIn(text: string): string[] {
  const exact = EXACT.exec(text);
  const found = (exact ?? LOOSE.exec(text))?.slice(1).find((group) => group !== undefined) ?? "";
  const words = found.replace(/^["“'`]|["”'`]?[.!]?$/g, "").trim();
  if (words === "") return [];
  return [exact === null ? `${words.slice(0, 1).toUpperCase()}${words.slice(1)}` : words];
}

/** The items of a list after a colon: `Plan: buy milk, cook and eat`. */
export function listIn(text: string): string[] {
  const after = /:\s+(.+)$/s.exec(text)?.[1] ?? "";
  return after
    .split(/\s*\n\s*|\s*[,;]\s*(?:and\s+)?|\s+and\s+/)
    .map((item) => item.replace(/^(?:[-*•]|\d+[.)])\s+|[.!?]+$/g, "").trim())
    .filter((item) => item !== "")
    .slice(0, 50);
}

/** A shell command: the quoted words after `run`, or all of them. */
export function commandIn(text: string, quoted: readonly string[]): string[] {
  const after = /\b(?:run|execute)\s+(.+)$/is.exec(text)?.[1];
  if (after === undefined || quoted.length > 0) return after === undefined ? [] : [...quoted];
  return /^(?:the|an?|my|it|this|that|code|select)\b/i.test(after) ? [] : [after.replace(/[.?!\s]+$/, "")];
}

/** A SQL statement, from `SELECT` to the end of its line. */
export function sqlIn(text: string): string[] {
  return [...text.matchAll(/\bselect\s.+?\sfrom\s+\w.*/gi)].map(([found]) => found.replace(/["`”;?.\s]+$/, ""));
}
