import { createHmac } from "node:crypto";
import type { Answer } from "./brain/answer.ts";
import { canonicalJson, isFields } from "./internal/json.ts";

const MAX_KEPT = 1000;

/** The rest of a long answer. */
export interface Remainder {
  readonly answer: Answer;
  /** Output tokens of the previous hops, which count against `maxOutputTokens`. */
  readonly spent: number;
}

/** Issues tokens that continue a long answer, and recognizes its own tokens with no state but the seed. */
export interface Continuations {
  /** A token for continuing this request. The next hop starts with `remainder`; without one, the brain answers. */
  issue(body: unknown, remainder?: Remainder): string;
  /**
   * What a request's token refers to: `"stale"` if it was issued for another request, undefined if the brain should answer. A
   * token can be used again, after a hop that broke off.
   */
  resume(body: unknown): Remainder | "stale" | undefined;
}

/** Tokens for one seed. The limit on output tokens may be raised from hop to hop; nothing else in the request may change. */
export function createContinuations(seed: string): Continuations {
  const kept = new Map<string, Remainder>();
  let issued = 0;
  const mac = (number: string, body: unknown): string =>
    createHmac("sha256", `continuation ${seed}`)
      .update(`${number} ${canonicalJson(withoutLimits(body))}`)
      .digest("base64url");
  return {
    issue(body, remainder) {
      issued += 1;
      const token = Buffer.from(`${issued} ${mac(String(issued), body)}`).toString("base64");
      if (remainder !== undefined) kept.set(token, remainder);
      const [oldest] = kept.keys();
      if (oldest !== undefined && kept.size > MAX_KEPT) kept.delete(oldest);
      return token;
    },
    resume(body) {
      const token = tokenOf(body);
      if (token === undefined) return undefined;
      const [number = "", signature] = Buffer.from(token, "base64").toString().split(" ");
      return signature === mac(number, body) ? kept.get(token) : "stale";
    },
  };
}

/** Validation has already required a string. */
function tokenOf(body: unknown): string | undefined {
  const token = isFields(body) ? (body["continuationToken"] ?? body["continuation_token"]) : undefined;
  return typeof token === "string" ? token : undefined;
}

function withoutLimits(body: unknown): unknown {
  if (!isFields(body)) return {};
  const {
    continuationToken: _camel,
    continuation_token: _snake,
    generationConfig,
    generation_config,
    ...request
  } = body;
  const config = generationConfig ?? generation_config;
  if (!isFields(config)) return request;
  const { maxOutputTokens: _most, max_output_tokens: _limit, ...kept } = config;
  return Object.keys(kept).length === 0 ? request : { ...request, generationConfig: kept };
}
