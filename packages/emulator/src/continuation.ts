import { createHmac } from "node:crypto";
import { canonicalJson, isFields } from "./internal/json.ts";

/** Issues tokens that continue a long answer, and recognises its own with no memory but the seed. */
export interface Continuations {
  /** A token for going on with this request. */
  issue(body: unknown, number: number): string;
  /** Whether the request's token was issued for the same request; true for one without a token. */
  accepts(body: unknown): boolean;
}

/** Tokens of one seed: a changed request with a stale token is not accepted. */
export function createContinuations(seed: string): Continuations {
  const mac = (number: string, body: unknown): string => {
    const { continuationToken: _camel, continuation_token: _snake, ...request } = isFields(body) ? body : {};
    return createHmac("sha256", `continuation ${seed}`)
      .update(`${number} ${canonicalJson(request)}`)
      .digest("base64url");
  };
  return {
    issue: (body, number) => `${number}.${mac(String(number), body)}`,
    accepts(body) {
      const fields = isFields(body) ? body : {};
      const token = fields["continuationToken"] ?? fields["continuation_token"];
      if (token === undefined) return true;
      const [number = "", signature] = typeof token === "string" ? token.split(".") : [];
      return signature === mac(number, body);
    },
  };
}
