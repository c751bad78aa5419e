import { textAt } from "./json.ts";
import type { FoundOperation } from "./operations.ts";

/** Weight of a word, by where it is found. */
const WEIGHTS = { name: 5, summary: 3, path: 3, tag: 2, description: 1 } as const;

/** Characters of a query that are looked at. */
const MAX_QUERY = 500;

/** Words that say nothing about the operation. */
const PLAIN = new Set(["a", "an", "and", "all", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"]);

/** Operations that contain words of the query, best first. A name equal to the query comes first. */
export function ranked(
  query: string,
  operations: ReadonlyMap<string, FoundOperation>,
  limit: number,
): readonly (readonly [string, FoundOperation])[] {
  const words = wordsOf(query.slice(0, MAX_QUERY)).filter((word) => !PLAIN.has(word));
  return [...operations]
    .map((entry) => ({ entry, score: entry[0] === query || entry[1].id === query ? Infinity : scoreOf(words, entry) }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score || a.entry[0].length - b.entry[0].length)
    .slice(0, limit)
    .map(({ entry }) => entry);
}

function scoreOf(words: readonly string[], [name, operation]: readonly [string, FoundOperation]): number {
  const fields = {
    name: wordsOf(`${name} ${operation.method}`),
    summary: wordsOf(operation.summary),
    path: wordsOf(operation.path),
    tag: operation.tags.flatMap((tag) => wordsOf(tag)),
    description: wordsOf(textAt(operation.definition, "description")?.slice(0, 500) ?? ""),
  };
  let score = 0;
  for (const word of words) {
    const best = Math.max(
      0,
      ...Object.entries(WEIGHTS).map(([field, weight]) => {
        const held = fields[field as keyof typeof WEIGHTS];
        if (held.includes(word)) return weight;
        return word.length > 3 && held.some((one) => one.startsWith(word)) ? weight / 2 : 0;
      }),
    );
    // One more matching word counts more than a match in a better place.
    if (best > 0) score += 4 + best;
  }
  return operation.deprecated ? score / 2 : score;
}

/** Lower-case words, with `camelCase` split and the plural `s` removed. */
function wordsOf(text: string): readonly string[] {
  const apart = text.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return (apart.match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => (word.length > 3 ? word.replace(/s$/, "") : word));
}
