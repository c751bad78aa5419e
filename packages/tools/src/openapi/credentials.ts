import { formsOf, hiddenText } from "./hidden-secrets.ts";
import type { OpenApiAuth, OpenApiCredentials } from "./options.ts";

/** Credentials, as they are sent. */
export interface SentCredentials {
  readonly headers: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
  /** What must never be shown: secret values in all their forms. */
  readonly secretForms: readonly string[];
}

export const NO_CREDENTIALS: SentCredentials = { headers: new Map(), query: new Map(), secretForms: [] };

/** Names of headers whose values are secret; a version, for example, is not. */
const SECRET_NAME = /auth|key|token|secret|pass|session|cookie|credential|signature/i;

/** Replacing shorter values would garble ordinary words. */
const LEAST_SECRET = 6;

/** Shorter parts of a header are schemes and names of fields. */
const LEAST_PART = 10;

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
    ...Object.entries(header).flatMap(([name, value]) => (SECRET_NAME.test(name) ? [value, ...partsOf(value)] : [])),
    ...Object.values(query),
  ];
  return {
    headers,
    query: new Map(Object.entries(query)),
    secretForms: formsOf(secrets.flatMap((one) => (one !== undefined && one.length >= LEAST_SECRET ? [one] : []))),
  };
}

/** Parts of a header that are secret on their own: a token after its scheme, the values of cookies, a signature's fields. */
function partsOf(value: string): readonly string[] {
  const words = value.split(/[\s;,]+/);
  const parts = words.flatMap((word) => [word, word.slice(word.indexOf("=") + 1)]);
  return parts.map((part) => part.replace(/^"(.*)"$/, "$1")).filter((part) => part.length >= LEAST_PART);
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

/** The text without the secret values, in any of the ways in which a service may spell them. */
export function hidden(text: string, { secretForms }: SentCredentials): string {
  return hiddenText(text, secretForms);
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
