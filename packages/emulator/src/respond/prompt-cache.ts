import { createHash } from "node:crypto";
import type { GenerateContentRequest, ModalityTokenCount } from "@pollux/core/wire";
import type { ModelFacts } from "../catalog/model-facts.ts";
import { addCounts, estimateContent, estimateHead, type FileLookup, type TokenCount } from "./estimate-tokens.ts";
import { promptBlocks } from "./prompt-blocks.ts";

/** What a prompt costs. */
export interface PromptCost {
  readonly prompt: TokenCount;
  /** Tokens an earlier request of the same beginning already paid for. */
  readonly cachedTokens: number;
  /** The same by modality. Default: all of it is text. */
  readonly cachedDetails?: readonly ModalityTokenCount[] | undefined;
}

const MAX_PREFIXES = 50_000;

/**
 * The service's implicit cache: a request that starts with the very same instructions, tools and contents as an earlier one
 * to the same model gets that beginning at the cached price, in blocks. Keys in another order, or a changed byte, end the
 * common beginning; what stands outside of instructions, tools and contents does not count.
 *
 * @see https://ai.google.dev/gemini-api/docs/caching
 */
export class PromptCache {
  // Digests of every beginning seen; those that were not met for the longest time first.
  readonly #prefixes = new Set<string>();
  readonly #minTokens: number | undefined;

  /** @param minTokens - The shortest beginning that counts. Default: the model's. */
  constructor(minTokens?: number) {
    this.#minTokens = minTokens;
  }

  /** Counts a request, and remembers its beginnings. */
  measure(request: GenerateContentRequest, raw: unknown, model: ModelFacts, fileOf?: FileLookup): PromptCost {
    const prompt = addCounts([
      estimateHead(request),
      ...request.contents.map((content) => estimateContent(content, fileOf)),
    ]);
    const minimum = this.#minTokens ?? implicitCacheMinimum(model);
    // Nothing that is remembered could ever be asked for.
    if (prompt.total < minimum) return { prompt, cachedTokens: 0 };
    const digests: string[] = [];
    let digest = model.id;
    let cachedTokens = 0;
    let isCached = true;
    for (const { text, tokens } of promptBlocks(request, raw, fileOf)) {
      digest = createHash("sha1").update(digest).update(text).digest("base64");
      isCached &&= this.#prefixes.has(digest);
      if (isCached) cachedTokens += tokens;
      digests.push(digest);
    }
    this.#remember(digests);
    return { prompt, cachedTokens: cachedTokens >= minimum ? Math.min(cachedTokens, prompt.total) : 0 };
  }

  /** The longest beginnings first, so that they are the first to be forgotten. */
  #remember(digests: readonly string[]): void {
    for (const digest of digests.toReversed()) {
      this.#prefixes.delete(digest);
      this.#prefixes.add(digest);
    }
    for (const oldest of this.#prefixes) {
      if (this.#prefixes.size <= MAX_PREFIXES) return;
      this.#prefixes.delete(oldest);
    }
  }
}

/** Tokens of the shortest beginning that the service caches by itself; `Infinity` where it never does. */
export function implicitCacheMinimum(model: ModelFacts): number {
  if (model.longDecode) return 6144;
  if (model.id === "gemini-3-flash-preview") return 1024;
  if (model.family === "gemini-3") return 4096;
  return model.family === "gemini-2" && model.generation >= 2.5 ? 2048 : Number.POSITIVE_INFINITY;
}

/** The cost where a cached content stands in front: its tokens are paid for, and more if the implicit cache has more. */
export function withCachedTokens(cost: PromptCost, cached: TokenCount | undefined): PromptCost {
  if (cached === undefined || cached.total < cost.cachedTokens) return cost;
  return { ...cost, cachedTokens: cached.total, cachedDetails: cached.details };
}
