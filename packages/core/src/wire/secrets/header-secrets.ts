import { tryOr } from "../../internal/json.ts";
import { EMULATOR_KEY, type HeaderFields } from "../endpoints/endpoint.ts";

/** Shorter values could be ordinary words. */
const MIN_SECRET = 6;

/** The secrets in headers: each whole value, and each part that is a secret alone. @param tools - As JSON: the keys in them are secrets, too. */
export function findSecrets(headers: HeaderFields, tools?: unknown): readonly string[] {
  const secrets = new Set<string>();
  for (const value of [...Object.values(headers), ...keysIn(tools)])
    for (const part of [value.trim(), ...partsOf(value)]) if (isSecret(part)) secrets.add(part);
  return [...secrets];
}

/** Members of tools, and parameters of URLs in them, that hold keys; and members that hold none. */
const KEYS = /headers|key|token|secret|password|auth|signature|jwt|pwd|^(?:code|sig)$/i;
const NO_KEYS = /^(?:function_?declarations|parameters|accept|content-type|user-agent|mcp-protocol)/i;

function* keysIn(value: unknown, isKey = false): Generator<string> {
  if (typeof value === "string" && isKey) yield value;
  else if (typeof value === "string" && URL.canParse(value)) {
    const { searchParams, username, password, pathname } = new URL(value);
    for (const [name, inner] of searchParams) if (KEYS.test(name)) yield inner;
    const pieces = pathname.match(/(?<=\/)(?=[^/\d]*\d)[\w.~%=-]{20,}(?=\/|$)/g) ?? [];
    yield* [password || username, ...pieces].map(decoded);
  } else if (typeof value === "object" && value !== null)
    for (const [name, inner] of Object.entries(value))
      if (!NO_KEYS.test(name)) yield* keysIn(inner, isKey || KEYS.test(name));
}

/** `name=value` and `name="quoted value"`, and anything else between separators. */
const PART = /([^\s=;,"]+)\s*=\s*"((?:[^"\\]|\\.)*)"|"((?:[^"\\]|\\.)*)"|[^\s;,]+/g;

function* partsOf(value: string): Generator<string> {
  for (const [text, , quotedValue, quoted] of value.matchAll(PART)) {
    const inside = quotedValue ?? quoted;
    if (inside !== undefined) {
      yield inside;
      yield inside.replaceAll(/\\(.)/g, "$1");
      continue;
    }
    // A scheme, or one word of a passphrase, is no secret.
    if (!WORD.test(text)) yield text;
    yield* piecesOf(text);
    const equals = text.indexOf("=");
    const parameter = text.slice(equals + 1);
    // Otherwise the "=" is only the padding of a base64 token.
    if (equals > 0 && /[^=]/.test(parameter)) {
      yield parameter;
      yield decoded(parameter);
    }
  }
  yield* textsIn(value);
  const basic = /^\s*basic\s+([\w+/-]+=*)\s*$/i.exec(value)?.[1];
  if (basic !== undefined) yield* credentialsIn(basic);
  // A value after the last space, whatever it contains.
  const last = value.slice(value.trimEnd().lastIndexOf(" ") + 1).trim();
  if (!WORD.test(last)) yield last;
}

const WORD = /^[a-z]{1,7}$/i;

/** Parts of `account:signature`, `a=1&b=2` and `1|2`, which services repeat one by one. A part without a digit could be a host or name. */
function* piecesOf(text: string): Generator<string> {
  const pieces = text.split(/[:&|]/);
  if (pieces.length === 1) return;
  for (const piece of pieces) {
    const value = piece.replace(/^(?:.*\?)?[\w-]+=(?=[^=])/, "");
    if (value.length >= MIN_PIECE && /\d/.test(value) && !value.startsWith("//")) yield value;
  }
}

/** Shorter pieces could be a port, a date or a version. */
const MIN_PIECE = 8;

function textsIn(value: string): readonly string[] {
  const texts: string[] = [];
  const add = (_name: string, inner: unknown): void => {
    if (typeof inner === "string" && !WORD.test(inner)) texts.push(inner);
  };
  if (/^\s*[[{]/.test(value)) tryOr<unknown>(() => JSON.parse(value, add), undefined);
  return texts;
}

/** The text of `user:password` in base64, and the password. */
function credentialsIn(base64: string): readonly string[] {
  // Without base64, the token alone is the secret.
  const bytes = Uint8Array.from(
    tryOr(() => atob(base64), ""),
    (character) => character.charCodeAt(0),
  );
  const text = new TextDecoder().decode(bytes);
  return [text, text.slice(text.indexOf(":") + 1)];
}

function decoded(text: string): string {
  return tryOr(() => decodeURIComponent(text), text);
}

function isSecret(part: string): boolean {
  const isWord = WORDS.split(" ").includes(part.toLowerCase());
  return part.length >= MIN_SECRET && part !== EMULATOR_KEY && !isWord && !SYNTAX.test(part);
}

/** Names of signature algorithms, signed components, attributes and media types, which errors mention for good reasons. */
const SYNTAX =
  /^(?:(?:aws4-|goog4-)?(?:(?:hmac|rsa|rsa-pss|rsa-v1_5|ecdsa|ecdsa-p256)-?)?sha-?\d{1,3}|@[a-z-]+|\([a-z-]+\)|content(?:-[a-z]+)?|charset=[\w-]+|no-\w+|(?:text|application)\/\w+|(?:x-)?(?:goog-)?api-?key|errors?|credentials?)$/i;

/** Words of headers that are no secrets, and that any message may contain. A string, which bundlers can drop with the code that uses it. */
const WORDS =
  "account application authorization default default-project development disabled ed25519 enabled gemini generativelanguage " +
  "global google googleapis internal invalid localhost negotiate path=/ private production project public response secret " +
  "secure server service session signature status strict token unknown version";
