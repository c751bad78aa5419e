import type { Tool } from "@pollux/core";
import { cosineSimilarity, embed, embedMany, type EmbedManyOptions } from "@pollux/core/resources";
import { textsIn } from "./rank-by-text.ts";
import type { Rank } from "./tool-search.ts";

/** Options of the embedding client; `model` has no default. */
export type MeaningOptions = Omit<EmbedManyOptions, "taskType" | "signal">;

/** Ranks by the similarity of each tool's embedding to the query's. */
export function rankByMeaning(tools: readonly Tool[], options: MeaningOptions): Rank {
  let made: Promise<readonly (readonly number[])[]> | undefined;
  const embedTools = async (): Promise<readonly (readonly number[])[]> => {
    const inputs = tools.map(({ name, description, declaration }) => ({
      title: name,
      content: [description, ...textsIn(declaration.parametersJsonSchema)].join("\n"),
    }));
    // Without the first call's signal: later calls use the same embeddings.
    return (await embedMany(inputs, { ...options, taskType: "RETRIEVAL_DOCUMENT" })).embeddings;
  };
  return async (query, limit, signal) => {
    made ??= embedTools();
    const all = made;
    all.catch(() => {
      // The next search tries again.
      if (made === all) made = undefined;
    });
    const embedded = embed(query, { ...options, taskType: "RETRIEVAL_QUERY", signal });
    const [vectors, { embedding }] = await Promise.all([all, embedded]);
    const scored = tools.map((tool, index) => ({ tool, score: cosineSimilarity(embedding, vectors[index] ?? []) }));
    return scored
      .toSorted((a, b) => b.score - a.score)
      .slice(0, limit)
      .map(({ tool }) => tool);
  };
}
