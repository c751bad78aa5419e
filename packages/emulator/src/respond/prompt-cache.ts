import { createHash } from "node:crypto";
import type { GenerateContentRequest, ModalityTokenCount } from "@pollux/core/wire";
import type { ModelFacts } from "../catalog/model-facts.ts";
import { addCounts, estimateContent, estimateHead, type FileLookup, type TokenCount } from "./estimate-tokens.ts";
import { promptBlocks } from "./prompt-blocks.ts";

/** The input tokens of a request. */
export interface PromptCost {
  readonly prompt: TokenCount;
  /** Tokens of the prefix shared with an earlier request. */
  readonly cachedTokens: number;
  /** The same by modality. Default: all text. */
  readonly cachedDetails?: readonly ModalityTokenCount[] | undefined;
}

const MAX_PREFIXES = 50_000;

/**
 * The service's implicit cache: if a request starts with exactly the same instructions, tools and contents as an earlier one to
 * the same model, that prefix is billed at the cached price, in blocks. A different key order or byte ends the common prefix;
 * anything outside instructions, tools and contents doesn't matter.
 *
 * @see https://ai.google.dev/gemini-api/docs/caching
 */
export class PromptCache {
  // Digests of every prefix seen, least recently used first.
  readonly #prefixes = new Set<string>();
  readonly #minTokens: number | undefined;

  /** @param minTokens - The shortest prefix that counts. Default: the model's. */
  constructor(minTokens?: number) {
    this.#minTokens = minTokens;
  }

  /** Measures a request, and remembers its prefixes. */
  measure(request: GenerateContentRequest, raw: unknown, model: ModelFacts, fileOf?: FileLookup): PromptCost {
    const prompt = addCounts([
      estimateHead(request),
      ...request.contents.map((content) => estimateContent(content, fileOf)),
    ]);
    const minimum = this.#minTokens ?? implicitCacheMinimum(model);
    // Too short to be cached.
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

  /** Longest prefixes first, so that they are evicted first. */
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

/** Tokens of the shortest prefix that the service caches implicitly; `Infinity` if it never does. */
export function implicitCacheMinimum(model: ModelFacts): number {
  return model.implicitCacheTokens ?? Number.POSITIVE_INFINITY;
}

/** The cost with a cached content: at least its tokens count as cached, or more if the implicit cache covers more. */
export function withCachedTokens(cost: PromptCost, cached: TokenCount | undefined): PromptCost {
  if (cached === undefined || cached.total < cost.cachedTokens) return cost;
  return { ...cost, cachedTokens: cached.total, cachedDetails: cached.details };
}
