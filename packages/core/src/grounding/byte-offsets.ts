/** Translates places in a text from UTF-8 bytes to UTF-16 indexes. */
export interface ByteOffsets {
  /** Length of the text in bytes. */
  readonly bytes: number;
  /** Index of the character that begins at this byte; of the one it lies in when it lies inside one. Clamped to the text. */
  indexAt(byte: number): number;
  /** True when a character begins (or the text ends) at this byte. */
  isBoundary(byte: number): boolean;
}

/** Reads the text once; every translation after that takes constant time. A lone surrogate counts as the three bytes it is sent as. */
export function byteOffsets(text: string): ByteOffsets {
  const bytes = byteLength(text);
  const inside = (byte: number): number => Math.min(Math.max(Math.trunc(byte), 0), bytes);
  const isWithin = (byte: number): boolean => Number.isInteger(byte) && byte >= 0 && byte <= bytes;
  if (bytes === text.length) return { bytes, indexAt: inside, isBoundary: isWithin };

  const indexes = new Uint32Array(bytes + 1);
  const starts = new Uint8Array(bytes + 1);
  let byte = 0;
  let index = 0;
  for (const character of text) {
    starts[byte] = 1;
    const width = bytesOf(character);
    indexes.fill(index, byte, byte + width);
    byte += width;
    index += character.length;
  }
  starts[byte] = 1;
  indexes[byte] = index;
  return { bytes, indexAt: (at) => indexes[inside(at)] ?? 0, isBoundary: (at) => isWithin(at) && starts[at] === 1 };
}

/** Length of the text in UTF-8 bytes. */
export function byteLength(text: string): number {
  let bytes = 0;
  for (const character of text) bytes += bytesOf(character);
  return bytes;
}

function bytesOf(character: string): number {
  const codePoint = character.codePointAt(0) ?? 0;
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x1_0000 ? 3 : 4;
}
