import type { OpenApiAuth, OpenApiCredentials } from "./options.ts";

/** Credentials, as they are sent. */
export interface SentCredentials {
  readonly headers: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
  /** Values that must never be shown. */
  readonly secrets: readonly string[];
}

export const NO_CREDENTIALS: SentCredentials = { headers: new Map(), query: new Map(), secrets: [] };

/** Names of headers whose values are secret; a version, for example, is not. */
const SECRET_NAME = /auth|key|token|secret|pass|session|cookie|credential|signature/i;

/** Replacing shorter values would garble ordinary words. */
const LEAST_SECRET = 6;

/** Credentials in the form that a request needs. */
export function sentCredentials({ bearer, basic, header = {}, query = {} }: OpenApiCredentials): SentCredentials {
  const headers = new Map(Object.entries(header).map(([name, value]) => [name.toLowerCase(), value]));
  const pair = basic === undefined ? undefined : base64(`${basic.username}:${basic.password}`);
  if (pair !== undefined) headers.set("authorization", `Basic ${pair}`);
  if (bearer !== undefined) headers.set("authorization", `Bearer ${bearer}`);
  const secrets = [
    bearer,
    basic?.password,
    pair,
    ...Object.entries(header).map(([name, value]) => (SECRET_NAME.test(name) ? value : undefined)),
    ...Object.values(query),
  ];
  return {
    headers,
    query: new Map(Object.entries(query)),
    secrets: secrets.filter((one) => one !== undefined && one.length >= LEAST_SECRET) as string[],
  };
}

/** Parameters that the credentials fill, if that is known before a request. */
export function filledBy(auth: OpenApiCredentials | OpenApiAuth | undefined): ReadonlySet<string> {
  if (auth === undefined || typeof auth === "function") return new Set();
  const { headers, query } = sentCredentials(auth);
  return new Set([
    ...[...headers.keys()].map((name) => `header ${name}`),
    ...[...query.keys()].map((name) => `query ${name.toLowerCase()}`),
  ]);
}

/** The text without the secret values. */
export function hidden(text: string, { secrets }: SentCredentials): string {
  let shown = text;
  for (const secret of secrets) {
    for (const form of new Set([secret, encodeURIComponent(secret)])) shown = shown.replaceAll(form, "[key]");
  }
  return shown;
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
