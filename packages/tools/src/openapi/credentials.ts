import { redact, findSecrets } from "@pollux/core/wire";
import type { OpenApiAuth, OpenApiCredentials } from "./options.ts";

/** Credentials as they are sent. */
export interface SentCredentials {
  readonly headers: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
  /** Values that must never be shown. */
  readonly secrets: readonly string[];
}

export const NO_CREDENTIALS: SentCredentials = { headers: new Map(), query: new Map(), secrets: [] };

/** Names of headers whose values are secret; a version, for example, is not. */
const SECRET_NAME = /auth|key|token|secret|pass|session|cookie|credential|signature/i;

/** Credentials in the form that a request needs. */
export function sentCredentials({ bearer, basic, header = {}, query = {} }: OpenApiCredentials): SentCredentials {
  const headers = new Map(Object.entries(header).map(([name, value]) => [name.toLowerCase(), value]));
  const pair = basic === undefined ? undefined : base64(`${basic.username}:${basic.password}`);
  if (pair !== undefined) headers.set("authorization", `Basic ${pair}`);
  if (bearer !== undefined) headers.set("authorization", `Bearer ${bearer}`);
  const secret = Object.entries(header).filter(([name]) => SECRET_NAME.test(name));
  const values = [bearer, basic?.password, pair, ...secret.map(([, value]) => value), ...Object.values(query)];
  return {
    headers,
    query: new Map(Object.entries(query)),
    secrets: findSecrets(Object.fromEntries(values.map((value, at) => [at, value ?? ""]))),
  };
}

/** Parameters that the credentials fill, if known before a request. */
export function filledBy(auth: OpenApiCredentials | OpenApiAuth | undefined): ReadonlySet<string> {
  if (auth === undefined || typeof auth === "function") return new Set();
  const { headers, query } = sentCredentials(auth);
  return new Set([
    ...[...headers.keys()].map((name) => `header ${name}`),
    ...[...query.keys()].map((name) => `query ${name.toLowerCase()}`),
  ]);
}

/** The text without the secret values, in any spelling that a service may use; the text may be truncated. */
export function hidden(text: string, { secrets }: SentCredentials): string {
  return redact(text, secrets, { truncated: true });
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
