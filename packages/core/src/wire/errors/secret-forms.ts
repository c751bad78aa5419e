/** Forms of the latest secrets: a text is searched for the same few again and again. */
const known = new Map<string, readonly string[]>();
const MAX_KNOWN = 200;

/**
 * A secret as services and logs write it: as it is, escaped in JSON or HTML, percent-encoded, and as base64 or hex, also where it
 * is a part of a longer text that was encoded.
 */
export function formsOf(secret: string): readonly string[] {
  const before = known.get(secret);
  if (before !== undefined) return before;
  const forms = [...new Set([...escaped(secret), ...percentEncoded(secret), ...encoded(secret)])];
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(secret, forms);
  return forms;
}

function escaped(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  // Some writers also escape slashes, or what HTML gives a meaning to.
  const slashes = json.replaceAll("/", String.raw`\/`);
  const unicode = json.replaceAll(/[<>&='+]/g, (character) => `\\u00${hexOf(character.charCodeAt(0))}`);
  const html = secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const quoted = html.replaceAll('"', "&quot;");
  return [
    secret,
    json,
    slashes,
    JSON.stringify(json).slice(1, -1),
    unicode,
    unicode.replaceAll(/\\u00../g, (code) => `\\u${code.slice(2).toUpperCase()}`),
    html,
    quoted,
    quoted.replaceAll("'", "&#39;"),
    quoted.replaceAll("'", "&#x27;"),
  ];
}

function percentEncoded(secret: string): readonly string[] {
  let plain: string;
  try {
    plain = encodeURIComponent(secret);
  } catch {
    // Half of a surrogate pair has no such form.
    return [];
  }
  const strict = plain.replaceAll(/[!'()*]/g, (character) => `%${hexOf(character.charCodeAt(0)).toUpperCase()}`);
  const forms = [plain, strict, encodeURI(secret)];
  forms.push(...forms.map((form) => form.replaceAll("%20", "+")));
  return [...forms, ...forms.map((form) => form.replaceAll(/%../g, (code) => code.toLowerCase()))];
}

function encoded(secret: string): readonly string[] {
  const bytes = [...new TextEncoder().encode(secret)];
  const hex = bytes.map(hexOf).join("");
  const forms = [hex, hex.toUpperCase(), base64Of(bytes), base64Of(bytes).replace(/=+$/, "")];
  // Inside a longer text: only the characters that its neighbors do not change, for each position in a group of three bytes.
  for (const [before, dropped] of [0, 2, 3].entries()) {
    const shifted = base64Of([...Array.from({ length: before }, () => 0), ...bytes]);
    const complete = Math.floor(((before + bytes.length) * 8) / 6);
    const core = shifted.slice(dropped, complete);
    if (core.length >= MIN_BASE64) forms.push(core);
  }
  return [...forms, ...forms.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"))];
}

/** A shorter piece could be a part of any base64. */
const MIN_BASE64 = 6;

function base64Of(bytes: readonly number[]): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function hexOf(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
