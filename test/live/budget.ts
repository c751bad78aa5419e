import { computeCost, googleListPrices, type Prices } from "@pollux/core";
import { findPrices } from "@pollux/core/model";
import { readUsage } from "../../packages/core/src/model/usage.ts";
import { bodyText, pick, type Send, Unanswered } from "./service.ts";

/** Dollars per search: no list has them by model. */
const SEARCH = { searchQuery: 0.035 };
/** The most expensive model, in dollars per million tokens: for models without a known price. */
const DEAREST: Prices = { input: 4, output: 20, ...SEARCH };
/** Pictures and speech cost more than words. */
const DEAREST_MEDIA: Prices = { input: 4, output: 120 };

/** The price of a model today; never too low. */
function pricesOf(model: string): Prices {
  const listed = findPrices(googleListPrices, model);
  if (listed !== undefined) return { ...listed, ...SEARCH };
  return /image|banana|tts|omni/.test(model) ? DEAREST_MEDIA : DEAREST;
}

/** Tokens of the longest answer to a request without a limit: more than any question or example needs. */
const MOST_TOKENS = 8_192;

/** The next request could exceed the budget. */
export class CeilingReached extends Unanswered {}

/** Counts the cost of requests, and sends none that could exceed the ceiling. */
export class Budget {
  readonly ceiling: number;
  readonly #prices: (model: string) => Prices;
  #spent = 0;
  #isReached = false;

  /** @param ceiling - In dollars. */
  constructor(ceiling: number, prices: (model: string) => Prices = pricesOf) {
    this.ceiling = ceiling;
    this.#prices = prices;
  }

  /** Dollars so far; a request in progress counts with its highest possible cost. */
  get spent(): number {
    return this.#spent;
  }

  /** Whether a request was too expensive to send since the last {@link begin}. */
  get isReached(): boolean {
    return this.#isReached;
  }

  /** Allows cheaper requests again. */
  begin(): void {
    this.#isReached = false;
  }

  /** @throws {CeilingReached} If fewer dollars are left. */
  check(dollars: number): void {
    if (this.#spent + dollars <= this.ceiling) return;
    this.#isReached = true;
    throw new CeilingReached(
      `$${this.#spent.toFixed(4)} of $${this.ceiling} are spent, and this may cost $${dollars.toFixed(4)}`,
    );
  }

  /** Counts work with unobserved requests. */
  add(dollars: number): void {
    this.#spent += dollars;
  }

  /** Wraps `fetch` and counts its cost. A body that is not read to its end counts with its highest possible cost. */
  count(send: Send): Send {
    return async (url, given) => {
      const init = isGenerating(url) ? bounded(given) : given;
      const most = this.#most(url, init);
      this.check(most);
      this.#spent += most;
      const response = await send(url, init);
      if (!response.ok || response.body === null) {
        this.#spent -= most;
        return response;
      }
      const decoder = new TextDecoder();
      let text = "";
      const body = response.body.pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform: (chunk, controller) => {
            text += decoder.decode(chunk, { stream: true });
            controller.enqueue(chunk);
          },
          flush: () => {
            this.#spent += this.#cost(url, text, most) - most;
          },
        }),
      );
      const { status, statusText, headers } = response;
      return new Response(body, { status, statusText, headers });
    };
  }

  /** The highest possible cost of a request. */
  #most(url: string, init: RequestInit): number {
    const model = modelIn(url);
    const body = bodyText(init.body);
    if (model === undefined || body === "") return 0;
    const prices = this.#prices(model);
    const limit = /"maxOutputTokens": ?(\d+)/.exec(body)?.[1];
    const output = isGenerating(url) ? Math.min(Number(limit ?? MOST_TOKENS), MOST_TOKENS) : 0;
    const searches = /"google_?search"/i.test(body) ? 2 : 0;
    // No text needs more than one token per two characters, and most need half of that.
    return (
      ((body.length / 2) * prices.input + output * prices.output) / 1_000_000 + searches * (prices.searchQuery ?? 0)
    );
  }

  #cost(url: string, text: string, most: number): number {
    const model = modelIn(url);
    if (model === undefined) return 0;
    const usage = lastUsage(text);
    if (usage === undefined) return isGenerating(url) ? most : 0;
    const searched = new Set([...text.matchAll(/"webSearchQueries":\s*\[([^\]]*)\]/g)].map(([, queries]) => queries))
      .size;
    return computeCost(readUsage(usage, searched), this.#prices(model));
  }
}

/** A request with a limit on its answer. */
function bounded(init: RequestInit): RequestInit {
  try {
    const { generationConfig = {}, ...body } = JSON.parse(bodyText(init.body)) as { generationConfig?: object };
    if (Array.isArray(generationConfig) || "maxOutputTokens" in generationConfig || "generation_config" in body)
      return init;
    const limited = { ...body, generationConfig: { ...generationConfig, maxOutputTokens: MOST_TOKENS } };
    return { ...init, body: JSON.stringify(limited) };
  } catch {
    // Not an object, so no service answers it.
    return init;
  }
}

const isGenerating = (url: string): boolean => /enerateContent\b/.test(url);

/** The billed model of a request; undefined if it is free. */
function modelIn(url: string): string | undefined {
  if (/\/decisions\b/.test(url)) return "gemini-decision-1";
  const [, model, verb = ""] = /\/models\/([^/:?]+):(\w+)/.exec(url) ?? [];
  return /^countTokens$/.test(verb) ? undefined : model;
}

/** The last usage in a body, which counts for all of it. */
function lastUsage(text: string): Parameters<typeof readUsage>[0] {
  // One object, or events in lines.
  for (const object of [text, ...text.split(/\r?\n/).map((line) => line.replace(/^data: ?/, ""))].toReversed()) {
    let json: unknown;
    try {
      json = JSON.parse(object);
    } catch {
      continue;
    }
    for (const item of Array.isArray(json) ? json.toReversed() : [json]) {
      const usage = pick(item, "usageMetadata");
      // A decision has counts in snake case, for its input only.
      const input = pick(item, "usage", "total_input_tokens");
      if (typeof input === "number") return { promptTokenCount: input };
      if (typeof usage === "object" && usage !== null) return usage;
    }
  }
  return undefined;
}
