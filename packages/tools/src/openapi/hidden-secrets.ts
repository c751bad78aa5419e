/** Replaces a secret. */
const HIDDEN = "[key]";

/** Shorter pieces of a secret, and shorter encoded forms, could be ordinary text. */
const LEAST_PIECE = 6;

/** Most times that a text is unescaped: JSON inside JSON inside a URL is three. */
const MOST_LAYERS = 6;

/** One escape of JSON or JavaScript, of a URL, or of HTML. */
const ESCAPE =
  /\\(?:u([\da-f]{4})|x([\da-f]{2})|([\\/"'bfnrt]))|%([\da-f]{2})|&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos))(?:;|\b)/gi;

const NAMED: { readonly [name: string]: string } = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

/**
 * The forms in which a service may repeat a secret, apart from escapes: as it is, with `+` for spaces, as hexadecimal, and
 * anywhere inside base64.
 */
export function formsOf(secrets: readonly string[]): readonly string[] {
  const forms = secrets.flatMap((secret) => [secret, secret.replaceAll(" ", "+"), ...encodedForms(secret)]);
  return [...new Set([...forms, ...forms.flatMap((form) => unescapedForms(form))])];
}

/** A secret that contains what looks like an escape is unescaped along with the text around it. */
function unescapedForms(form: string): readonly string[] {
  const forms: string[] = [];
  for (let layer = unescaped(plainLayer(form)); layer !== undefined; layer = unescaped(layer)) forms.push(layer.text);
  return forms.filter(({ length }) => length >= LEAST_PIECE);
}

function encodedForms(secret: string): readonly string[] {
  const bytes = [...new TextEncoder().encode(secret)];
  const hexadecimal = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const base64 = [0, 1, 2].map((before) => {
    const whole = btoa(String.fromCharCode(...Array.from({ length: before }, () => 0), ...bytes));
    // The first and the last character may also hold bits of what stands beside it.
    return whole.slice(Math.ceil((before * 4) / 3), Math.floor(((before + bytes.length) * 4) / 3));
  });
  return [
    // A URL escapes the bytes of UTF-8, which are unescaped one by one.
    String.fromCharCode(...bytes),
    hexadecimal,
    hexadecimal.toUpperCase(),
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
  ].filter((form) => form.length >= LEAST_PIECE);
}

/**
 * The text without the secrets, also where they are escaped, in any mixture of ways and several times over. What stands before `…`
 * may be the beginning of one.
 */
export function hiddenText(text: string, forms: readonly string[]): string {
  if (forms.length === 0) return text;
  const ranges: Range[] = [];
  for (
    let layer: Layer | undefined = plainLayer(text), depth = 0;
    layer !== undefined && depth <= MOST_LAYERS;
    depth++
  ) {
    for (const form of forms) ranges.push(...occurrences(layer, form), ...beginnings(layer, form));
    layer = unescaped(layer);
  }
  return replaced(text, ranges);
}

/** The same for all texts, names of members, and numbers in a JSON value. */
export function hiddenValue(value: unknown, forms: readonly string[]): unknown {
  if (forms.length === 0) return value;
  if (typeof value === "string") return hiddenText(value, forms);
  if (typeof value === "number") return forms.some((form) => String(value).includes(form)) ? HIDDEN : value;
  if (Array.isArray(value)) return value.map((item: unknown) => hiddenValue(item, forms));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [hiddenText(name, forms), hiddenValue(item, forms)]),
  );
}

/** From here up to there in the original text. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** The text after some unescaping. */
interface Layer {
  readonly text: string;
  /** Where in the original text a character of this one begins; one more for the end. */
  readonly start: (index: number) => number;
}

function plainLayer(text: string): Layer {
  return { text, start: (index) => index };
}

/** Undoes one escape wherever there is one; undefined if there is none. */
function unescaped({ text, start }: Layer): Layer | undefined {
  if (!/[\\%&]/.test(text)) return undefined;
  const starts = new Uint32Array(text.length + 1);
  let out = "";
  let at = 0;
  const copy = (end: number): void => {
    for (let index = at; index < end; index++) starts[out.length + index - at] = start(index);
    out += text.slice(at, end);
    at = end;
  };
  for (const found of text.matchAll(ESCAPE)) {
    copy(found.index);
    const character = characterOf(found);
    for (let unit = 0; unit < character.length; unit++) starts[out.length + unit] = start(at);
    out += character;
    at += found[0].length;
  }
  if (at === 0) return undefined;
  copy(text.length);
  starts[out.length] = start(text.length);
  return { text: out, start: (index) => starts[index] ?? 0 };
}

function characterOf([, unit, byte, short, percent, decimal, hexadecimal, name]: RegExpExecArray): string {
  const code = unit ?? byte ?? percent ?? hexadecimal;
  if (code !== undefined || decimal !== undefined) {
    const point = code === undefined ? Number(decimal) : Number.parseInt(code, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : "\ufffd";
  }
  const letter = short ?? name?.toLowerCase() ?? "";
  return NAMED[letter] ?? letter;
}

function* occurrences({ text, start }: Layer, form: string): Generator<Range> {
  for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + form.length))
    yield { start: start(at), end: start(at + form.length) };
}

/** Beginnings of a secret that was truncated. */
function* beginnings({ text, start }: Layer, form: string): Generator<Range> {
  for (let end = text.indexOf("…"); end !== -1; end = text.indexOf("…", end + 1)) {
    for (let length = Math.min(end, form.length - 1); length >= LEAST_PIECE; length--) {
      if (!text.endsWith(form.slice(0, length), end)) continue;
      yield { start: start(end - length), end: start(end) };
      break;
    }
  }
}

function replaced(text: string, ranges: readonly Range[]): string {
  let shown = "";
  let at = 0;
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (start >= at) shown += text.slice(at, start) + HIDDEN;
    at = Math.max(at, end);
  }
  return shown + text.slice(at);
}
