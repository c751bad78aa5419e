import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from "jose";

/** Finds the key of a signature. */
export type WebhookKeys = JWTVerifyGetKey;

/** Options of {@link webhookKeys}. */
export interface WebhookKeysOptions {
  /** @defaultValue "https://generativelanguage.googleapis.com/.well-known/jwks.json" */
  readonly url?: string | URL | undefined;
  /** Gets the keys. @defaultValue the platform's `fetch` */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  /** Longest wait for the keys, in milliseconds. @defaultValue 5_000 */
  readonly timeoutMs?: number | undefined;
}

/**
 * Google's public keys, with which it signs the reports of `webhook_config`. Make one for the whole server: keys are kept for ten minutes,
 * and unknown ones are looked for at most twice a minute.
 *
 * @see https://ai.google.dev/gemini-api/docs/webhooks
 */
export function webhookKeys(options: WebhookKeysOptions = {}): WebhookKeys {
  const { url = "https://generativelanguage.googleapis.com/.well-known/jwks.json", fetch, timeoutMs = 5_000 } = options;
  return createRemoteJWKSet(new URL(url), {
    timeoutDuration: timeoutMs,
    ...(fetch !== undefined && { [customFetch]: fetch }),
  });
}
