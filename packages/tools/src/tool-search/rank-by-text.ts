import type { Tool } from "@pollux/core";
import MiniSearch from "minisearch";
import type { Rank } from "./tool-search.ts";

/** Characters of a query that count; the rest is ignored. */
const MAX_QUERY = 500;
/** Words that say nothing about a tool. */
const PLAIN = new Set(
  "a an and all by can for from get give i in is it me my of on or please the this to tool want with".split(" "),
);

/** Ranks by the words of names, descriptions and parameters (BM25+). */
export function rankByText(tools: readonly Tool[]): Rank {
  const index = new MiniSearch<Tool>({
    idField: "name",
    fields: ["name", "description", "parameters"],
    extractField: (tool, field) =>
      field === "parameters" ? textsIn(tool.declaration.parametersJsonSchema).join(" ") : tool[field as "name"],
    tokenize: wordsOf,
    processTerm: (word) => (PLAIN.has(word) ? null : stemOf(word)),
    searchOptions: {
      boost: { name: 3, description: 2 },
      prefix: (word) => word.length > 3,
      weights: { prefix: 0.5, fuzzy: 0.2 },
    },
  });
  index.addAll(tools);
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  return (query, limit) =>
    index
      .search(query.slice(0, MAX_QUERY))
      .slice(0, limit)
      .flatMap(({ id }) => byName.get(id as string) ?? []);
}

/** Lower-case words, `camelCase` split. */
function wordsOf(text: string): string[] {
  const apart = text.replaceAll(/([a-z\d])([A-Z])/g, "$1 $2").toLowerCase();
  return apart.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Removes plural endings. */
function stemOf(word: string): string {
  return word.length > 3 ? word.replace(/ies$/, "y").replace(/(?<![su])s$/, "") : word;
}

/** The names and descriptions of parameters. */
export function textsIn(schema: unknown, depth: number = 0): readonly string[] {
  if (typeof schema !== "object" || schema === null || depth > 3) return [];
  // A schema may contain anything.
  const { properties = {}, items } = schema as { readonly properties?: object; readonly items?: unknown };
  const own = Object.entries(properties).flatMap(([name, one]: [string, unknown]) => {
    const text = typeof one === "object" && one !== null && "description" in one ? [String(one.description)] : [];
    return [name, ...text, ...textsIn(one, depth + 1)];
  });
  return [...own, ...textsIn(items, depth + 1)];
}
