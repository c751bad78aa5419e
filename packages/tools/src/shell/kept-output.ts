/** Keeps the beginning and the end of a long text, each half of the limit, and counts the bytes it drops. */
export class KeptOutput {
  readonly #half: number;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #totalBytes = 0;

  constructor(maxBytes: number) {
    this.#half = Math.floor(maxBytes / 2);
  }

  /** Adds the next piece. */
  add(text: string): void {
    const bytes = Buffer.from(text);
    this.#totalBytes += bytes.length;
    const first = bytes.subarray(0, this.#half - this.#headBytes);
    if (first.length > 0) this.#head.push(first);
    this.#headBytes += first.length;
    const rest = bytes.subarray(first.length);
    if (rest.length === 0) return;
    this.#tail.push(rest);
    this.#tailBytes += rest.length;
    // Not on each small piece: at most twice the limit is kept in memory.
    if (this.#tailBytes > 2 * this.#half) this.#trim();
  }

  /** The kept output, with a note where bytes are missing. */
  result(): { readonly output: string; readonly droppedBytes: number } {
    this.#trim();
    const head = Buffer.concat(this.#head);
    const tail = Buffer.concat(this.#tail);
    const isWhole = this.#totalBytes === head.length + tail.length;
    if (isWhole) return { output: Buffer.concat([head, tail]).toString(), droppedBytes: 0 };
    const kept = [head.subarray(0, endOfCharacters(head)), tail.subarray(startOfCharacters(tail))] as const;
    const droppedBytes = this.#totalBytes - kept[0].length - kept[1].length;
    const note = `\n[${droppedBytes} bytes of output left out here]\n`;
    return { output: kept[0].toString() + note + kept[1].toString(), droppedBytes };
  }

  #trim(): void {
    if (this.#tailBytes <= this.#half) return;
    // Copied, so that the memory of the dropped part is freed.
    this.#tail = [Buffer.from(Buffer.concat(this.#tail).subarray(this.#tailBytes - this.#half))];
    this.#tailBytes = this.#half;
  }
}

/** Index after the last complete character. */
function endOfCharacters(bytes: Buffer): number {
  let start = bytes.length - 1;
  while (start >= 0 && isInside(bytes[start])) start--;
  const lead = bytes[start] ?? 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return bytes.length - start < length ? Math.max(0, start) : bytes.length;
}

/** Index of the first complete character. */
function startOfCharacters(bytes: Buffer): number {
  let start = 0;
  while (start < bytes.length && isInside(bytes[start])) start++;
  return start;
}

/** Whether this is a continuation byte of a UTF-8 character. */
function isInside(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
