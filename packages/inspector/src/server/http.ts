import type { HttpError } from "@pollux/core/serving";
import { redact } from "@pollux/core/wire";

/** Headers of all data: for one person, not cached, and without content sniffing. */
export const PRIVATE: { readonly [name: string]: string } = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** JSON without keys, even if a log contains some. @param secrets - The same array each time. */
export function replyJson(value: unknown, secrets: readonly string[], status: number = 200): Response {
  return new Response(redact(JSON.stringify(value), secrets), {
    status,
    headers: { ...PRIVATE, "content-type": "application/json; charset=utf-8" },
  });
}

export function replyError({ status, code, message }: HttpError, secrets: readonly string[]): Response {
  return replyJson({ error: { code, message } }, secrets, status);
}
