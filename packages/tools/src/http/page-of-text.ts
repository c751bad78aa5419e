/** One page of a long text. */
export interface TextPage {
  readonly content: string;
  /** Length of the whole text. */
  readonly total_characters: number;
  /** Offset of the next page; absent at the end. */
  readonly next_offset?: number | undefined;
}

/** Cuts at the end of a line if one is near, and never inside a character. */
export function pageOfText(text: string, offset: number, limit: number): TextPage {
  let end = Math.min(offset + limit, text.length);
  if (end < text.length) {
    const line = text.lastIndexOf("\n", end - 1) + 1;
    if (line > offset + limit / 2) end = line;
    else if (/[\uD800-\uDBFF]/.test(text.charAt(end - 1)) && end - 1 > offset) end -= 1;
  }
  return {
    content: text.slice(offset, end),
    total_characters: text.length,
    ...(end < text.length ? { next_offset: end } : {}),
  };
}
