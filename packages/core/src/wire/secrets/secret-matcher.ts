/** From `start` up to, but not including, `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The beginning of one or more forms; its depth is its length. */
interface Node {
  readonly depth: number;
  /** The last character of its text. */
  readonly code: number;
  /** The next node with the same text before the last character. */
  readonly sibling: Node | undefined;
  /** The first node whose text is one character longer. */
  child: Node | undefined;
  /** The node of the longest proper suffix of this text that has one; undefined at the root. */
  fallback: Node | undefined;
  /** The longest form that this text ends with. */
  form: Node | undefined;
}

const matchers = new WeakMap<readonly string[], SecretMatcher>();

/** The matcher of these secrets; the same one for the same array. */
export function matcherFor(secrets: readonly string[]): SecretMatcher {
  let matcher = matchers.get(secrets);
  if (matcher === undefined) matchers.set(secrets, (matcher = new SecretMatcher(secrets)));
  return matcher;
}

/** Finds all forms of some secrets at once: an Aho–Corasick automaton, linear in both. @see https://doi.org/10.1145/360825.360855 */
class SecretMatcher {
  readonly #forms: readonly string[];
  readonly #beginnings: readonly string[];
  #tree: Node | undefined;

  constructor(secrets: readonly string[]) {
    this.#forms = secrets.flatMap(listForms);
    this.#beginnings = [...new Set(this.#forms.map((form) => form.slice(0, MIN_BEGINNING)))];
  }

  /** Ranges of secrets, in order and without overlaps. @param truncated - Also finds the beginning of one, at the end or before a `…`. */
  find(text: string, truncated = false): readonly Range[] {
    const ranges: Range[] = [];
    // Nearly every text contains none, which the platform checks much faster.
    if (!this.#beginnings.some((beginning) => text.includes(beginning))) return ranges;
    const tree = (this.#tree ??= treeOf(this.#forms));
    let node = tree;
    for (let end = 1; end <= text.length; end++) {
      node = step(tree, node, text.charCodeAt(end - 1));
      for (let form = node.form; form !== undefined; form = form.fallback?.form) {
        const start = end - form.depth;
        if (form.depth < MIN_ANYWHERE && (isInWord(text, start) || isInWord(text, end))) continue;
        addRange(ranges, { start, end });
        // Other forms that end here are parts of this one.
        break;
      }
      if (truncated && node.depth >= MIN_BEGINNING && CUT.test(text.slice(end, end + 9)))
        addRange(ranges, { start: end - node.depth, end });
    }
    return ranges;
  }
}

function treeOf(forms: readonly string[]): Node {
  const root = nodeAt(0);
  for (const form of forms) {
    let node = root;
    for (let at = 0; at < form.length; at++) {
      const code = form.charCodeAt(at);
      node = childOf(node, code) ?? (node.child = nodeAt(at + 1, code, node.child));
    }
    node.form = node;
  }
  // By depth: a fallback is always shorter.
  const queue = [root];
  for (const node of queue) {
    for (let { child } = node; child !== undefined; child = child.sibling) {
      child.fallback = step(root, node.fallback, child.code);
      child.form ??= child.fallback.form;
      queue.push(child);
    }
  }
  return root;
}

/** The child of a node by this character, or else of the longest suffix of its text that has such a child. */
function step(root: Node, from: Node | undefined, code: number): Node {
  for (let node = from; node !== undefined; node = node.fallback) {
    const next = childOf(node, code);
    if (next !== undefined) return next;
  }
  return root;
}

function nodeAt(depth: number, code = -1, sibling?: Node): Node {
  return { depth, code, sibling, child: undefined, fallback: undefined, form: undefined };
}

function childOf({ child }: Node, code: number): Node | undefined {
  let found = child;
  while (found !== undefined && found.code !== code) found = found.sibling;
  return found;
}

/** A shorter beginning of a secret could be ordinary text. */
const MIN_BEGINNING = 6;

/** The most that can follow a truncated secret: the rest of a cut escape. */
const CUT = /^(?:[\\%&][#\w]{0,7})?(?:…|$)/;

/** True if a word spans the position. */
function isInWord(text: string, at: number): boolean {
  return /^\w\w/.test(text.slice(Math.max(at - 1, 0), at + 1));
}

/** Adds a range that ends after all others, merged with the ranges that it overlaps. */
export function addRange(ranges: Range[], { start, end }: Range): void {
  let from = start;
  while ((ranges.at(-1)?.end ?? 0) > from) from = Math.min(from, ranges.pop()?.start ?? from);
  ranges.push({ start: from, end });
}

/** Shorter secrets could be a part of ordinary words, and of any base64. */
const MIN_ANYWHERE = 8;

/** A secret as services and logs write it: as it is, escaped, and as hex or base64, even inside a longer text. A short secret only as it is. */
function listForms(secret: string): readonly string[] {
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
  // Inside a longer text, the first and last characters also hold bits of its neighbors.
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
  return binaryText(new TextEncoder().encode(text));
}

/** Arguments of one call. */
const AT_ONCE = 8192;

/** Each byte as one character. */
export function binaryText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += AT_ONCE) text += String.fromCharCode(...bytes.subarray(at, at + AT_ONCE));
  return text;
}

function hexOf(byte: string): string {
  return byte.charCodeAt(0).toString(16).padStart(2, "0");
}

/** A text after some unescaping. */
interface Layer {
  readonly text: string;
  /** Where in the original text a position of this one is. Ascending positions are found fastest. */
  readonly origin: (index: number) => number;
}

/** Most layers of escapes that are undone: JSON inside JSON inside a URL has three. */
const MAX_LAYERS = 6;

/** The text itself, then with layer after layer of escapes undone: those of JSON, JavaScript, URLs and HTML. */
export function* layersOf(text: string): Generator<Layer, void> {
  let layer: Layer | undefined = { text, origin: (index) => index };
  for (let depth = 0; layer !== undefined && depth <= MAX_LAYERS; depth++) {
    yield layer;
    layer = nextLayer(layer);
  }
}

const ESCAPE =
  /\\(?:u([\da-f]{4})|u\{([\da-f]{1,6})\}|x([\da-f]{2})|([\\/"'bfnrt]))|%([\da-f]{2})|&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos|sol|bsol|equals|plus|quest|colon|semi|comma|num|percnt|commat|dollar|excl|lowbar|ast|lpar|rpar))(?:;|\b)/gi;

/** Undoes each escape once; undefined if there is none. */
function nextLayer({ text, origin }: Layer): Layer | undefined {
  // After each unescaped character: the position in the new text, and the one in the old text.
  const after: number[] = [];
  const before: number[] = [];
  let out = "";
  let at = 0;
  for (const found of text.matchAll(ESCAPE)) {
    out += text.slice(at, found.index) + characterOf(found);
    at = found.index + found[0].length;
    after.push(out.length);
    before.push(at);
  }
  if (at === 0) return undefined;
  let next = 0;
  return {
    text: out + text.slice(at),
    origin: (index) => {
      // The next layers start over.
      if (index < (after[next - 1] ?? 0)) next = 0;
      while ((after[next] ?? Number.POSITIVE_INFINITY) <= index) next++;
      return origin(index - (after[next - 1] ?? 0) + (before[next - 1] ?? 0));
    },
  };
}

/** Names of signs after a backslash, or in HTML between `&` and `;`. A string, which bundlers can drop with the code that uses it. */
const NAMED =
  " b:\b f:\f n:\n r:\r t:\t amp:& lt:< gt:> quot:\" apos:' sol:/ bsol:\\ equals:= plus:+ quest:? colon:: semi:; comma:, num:#" +
  " percnt:% commat:@ dollar:$ excl:! lowbar:_ ast:* lpar:( rpar:)";

function characterOf([, unit, point, byte, short, percent, decimal, hex, name]: RegExpExecArray): string {
  const digits = unit ?? point ?? byte ?? percent ?? hex;
  if (digits !== undefined || decimal !== undefined) {
    const code = digits === undefined ? Number(decimal) : Number.parseInt(digits, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
  }
  const letter = short ?? name?.toLowerCase() ?? "";
  const at = NAMED.indexOf(` ${letter}:`);
  return at < 0 ? letter : NAMED.charAt(at + letter.length + 2);
}
