import { createHash } from "node:crypto";
import type { GenerateContentRequest, ModalityTokenCount } from "@pollux/core/wire";
import type { ModelFacts } from "../catalog/model-facts.ts";
import { isFields } from "../internal/json.ts";
import { addCounts, estimateContent, estimateHead, type FileLookup, type TokenCount } from "./estimate-tokens.ts";

/** What a prompt costs. */
export interface PromptCost {
  readonly prompt: TokenCount;
  /** Tokens an earlier request of the same beginning already paid for. */
  readonly cachedTokens: number;
  /** The same by modality. Default: all of it is text. */
  readonly cachedDetails?: readonly ModalityTokenCount[] | undefined;
}

const MIN_CACHED_TOKENS = 1024;
const MIN_CACHED_TOKENS_LONG_DECODE = 6144;
const MAX_PREFIXES = 4000;

/**
 * The service's implicit cache: a request that starts with the very same instructions, tools and contents as an earlier one
 * gets that beginning at the cached price. Keys in another order, or a changed byte in a content, end the common beginning.
 */
export class PromptCache {
  // Digests of every beginning seen, oldest first.
  readonly #prefixes = new Set<string>();

  /** Counts a request, and remembers its beginnings. */
  measure(request: GenerateContentRequest, raw: unknown, model: ModelFacts, fileOf?: FileLookup): PromptCost {
    const body = isFields(raw) ? raw : {};
    const rawContents: readonly unknown[] = Array.isArray(body["contents"]) ? body["contents"] : [];
    let digest = digestOf(model.id, [body["systemInstruction"] ?? body["system_instruction"], body["tools"]]);
    let count = estimateHead(request);
    let cachedTokens = 0;
    const counts = [count];
    // Contents of one role in a row are joined in the normalised request; only as many beginnings as both have can be priced.
    const comparable = rawContents.length === request.contents.length;
    for (const [index, content] of request.contents.entries()) {
      count = estimateContent(content, fileOf);
      counts.push(count);
      digest = digestOf(digest, comparable ? rawContents[index] : content);
      if (this.#prefixes.has(digest)) cachedTokens = counts.reduce((sum, item) => sum + item.total, 0);
      this.#remember(digest);
    }
    const minimum = model.longDecode ? MIN_CACHED_TOKENS_LONG_DECODE : MIN_CACHED_TOKENS;
    return { prompt: addCounts(counts), cachedTokens: cachedTokens >= minimum ? cachedTokens : 0 };
  }

  #remember(digest: string): void {
    this.#prefixes.delete(digest);
    this.#prefixes.add(digest);
    if (this.#prefixes.size <= MAX_PREFIXES) return;
    const [oldest] = this.#prefixes;
    if (oldest !== undefined) this.#prefixes.delete(oldest);
  }
}

/** The cost where a cached content stands in front: its tokens are paid for, and more if the implicit cache has more. */
export function withCachedTokens(cost: PromptCost, cached: TokenCount | undefined): PromptCost {
  if (cached === undefined || cached.total < cost.cachedTokens) return cost;
  return { ...cost, cachedTokens: cached.total, cachedDetails: cached.details };
}

function digestOf(previous: string, value: unknown): string {
  return createHash("sha1")
    .update(previous)
    .update(JSON.stringify(value) ?? "")
    .digest("base64");
}
