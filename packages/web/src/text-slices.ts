/** Characters of a text in one event. A reader that stalls holds no more than a few of them. */
const MAX_SLICE = 16_384;

/** A text in pieces that one event can hold, without splitting a character. */
export function* textSlices(text: string, max: number = MAX_SLICE): Generator<string, void> {
  for (let from = 0; from < text.length;) {
    let to = Math.min(from + max, text.length);
    if (to < text.length && isHighSurrogate(text.charCodeAt(to - 1))) to--;
    yield text.slice(from, to);
    from = to;
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
