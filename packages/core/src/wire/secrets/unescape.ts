/** A text after some unescaping. */
export interface Layer {
  readonly text: string;
  /** Where in the original text a position of this one is. Ascending positions are found fastest. */
  readonly origin: (index: number) => number;
}

/** More layers than this are not undone: JSON inside JSON inside a URL has three. */
const MAX_LAYERS = 6;

/** The text itself, then with one layer of escapes after the other undone: those of JSON, JavaScript, URLs and HTML. */
export function* layersOf(text: string): Generator<Layer, void> {
  let layer: Layer | undefined = { text, origin: (index) => index };
  for (let depth = 0; layer !== undefined && depth <= MAX_LAYERS; depth++) {
    yield layer;
    layer = unescaped(layer);
  }
}

const ESCAPE =
  /\\(?:u([\da-f]{4})|u\{([\da-f]{1,6})\}|x([\da-f]{2})|([\\/"'bfnrt]))|%([\da-f]{2})|&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos|sol|bsol|equals|plus|quest|colon|semi|comma|num|percnt|commat|dollar|excl|lowbar|ast|lpar|rpar))(?:;|\b)/gi;

/** Undoes each escape once; undefined if there is none. */
function unescaped({ text, origin }: Layer): Layer | undefined {
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
      // The layers above ask from the start again.
      if (index < (after[next - 1] ?? 0)) next = 0;
      while ((after[next] ?? Number.POSITIVE_INFINITY) <= index) next++;
      return origin(index - (after[next - 1] ?? 0) + (before[next - 1] ?? 0));
    },
  };
}

/** What stands for a sign after a backslash, or in HTML between `&` and `;`. A text, which bundlers can drop with what uses it. */
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
