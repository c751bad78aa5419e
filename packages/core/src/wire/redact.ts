import { EMULATOR_KEY, type HeaderFields } from "./endpoint.ts";

/** Shape of the keys Google hands out; hidden even when the key is not ours. */
const GOOGLE_KEY = /AIza[\w-]{30,}/g;

/** Shorter values would hide ordinary words. */
const MIN_SECRET = 6;

/** The secret values inside signing headers: whole values, and the token of `Bearer token`. */
export function secretsOf(headers: HeaderFields): readonly string[] {
  const secrets: string[] = [];
  for (const value of Object.values(headers)) {
    const token = value.slice(value.lastIndexOf(" ") + 1);
    if (token.length >= MIN_SECRET && token !== EMULATOR_KEY) secrets.push(token);
  }
  return secrets;
}

/** The text with each secret, and whatever looks like a Google key, replaced by `[redacted]`. */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    clean = clean.replaceAll(secret, "[redacted]");
    const encoded = encodeURIComponent(secret);
    if (encoded !== secret) clean = clean.replaceAll(encoded, "[redacted]");
  }
  return clean.replaceAll(GOOGLE_KEY, "[redacted]");
}

/** The same for a text that was cut off, where the beginning of a secret may stand at the end. */
export function redactCut(text: string, secrets: readonly string[]): string {
  let clean = redact(text, secrets);
  for (const secret of secrets) {
    for (let length = secret.length - 1; length >= MIN_SECRET; length--) {
      if (clean.endsWith(secret.slice(0, length))) clean = `${clean.slice(0, -length)}[redacted]`;
    }
  }
  return clean;
}
