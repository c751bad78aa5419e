import { layersOf } from "./unescape.ts";

/** Shorter secrets could be a part of ordinary words, and of any base64. */
export const MIN_ANYWHERE = 8;

/**
 * A secret as services and logs write it, apart from mixed and repeated escapes: as it is, escaped in JSON, a URL or HTML, and as
 * hex or base64, also where it is a part of a longer text that was encoded. A short secret only as it is.
 */
export function listForms(secret: string): readonly string[] {
  if (secret.length < MIN_ANYWHERE) return secret === "" ? [] : [secret];
  const bytes = binaryOf(secret);
  const percent = bytes.replaceAll(/[^\w.~!'()*-]/g, (byte) => `%${hexOf(byte).toUpperCase()}`);
  const plain = [secret, JSON.stringify(secret).slice(1, -1), percent];
  const html = secret.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  // A URL escapes the bytes of UTF-8, which are unescaped one by one.
  const written = [...plain, html, bytes, ...[secret, bytes].map((form) => form.replaceAll(" ", "+"))];
  // A secret that itself contains what looks like an escape is unescaped together with the text around it.
  const unescaped = written.flatMap((form) => Array.from(layersOf(form), ({ text }) => text));
  const forms = [...written, ...unescaped, ...plain.flatMap(encoded)];
  return [...new Set(forms)].filter((form) => form.length >= MIN_ANYWHERE);
}

function encoded(text: string): readonly string[] {
  const bytes = binaryOf(text);
  const digits = Array.from(bytes, hexOf);
  const hex = ["", " ", ":"].map((between) => digits.join(between));
  // How Node prints a buffer as JSON.
  const list = Array.from(bytes, (byte) => byte.charCodeAt(0)).join(",");
  const whole = btoa(bytes);
  const base64 = [whole, whole.replace(/=+$/, "")];
  // Encoders of mail and certificates break lines.
  for (const width of [64, 76])
    for (const end of ["\n", "\r\n"])
      if (whole.length > width) base64.push(whole.match(new RegExp(`.{1,${width}}`, "g"))?.join(end) ?? "");
  // Inside a longer text, the first and the last character also hold bits of what is beside it.
  for (const before of [0, 1, 2])
    base64.push(
      btoa("\0".repeat(before) + bytes).slice(before && before + 1, Math.floor(((before + bytes.length) * 4) / 3)),
    );
  return [
    ...hex,
    ...hex.map((form) => form.toUpperCase()),
    list,
    ...base64,
    ...base64.map((form) => form.replaceAll("+", "-").replaceAll("/", "_")),
  ];
}

/** Its bytes in UTF-8, one per character. */
function binaryOf(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

function hexOf(byte: string): string {
  return byte.charCodeAt(0).toString(16).padStart(2, "0");
}
