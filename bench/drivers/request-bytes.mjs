const CLOSE = "]}";

/** A conversation's request bodies in one growing buffer: each content is serialized and encoded once. */
export class RequestBytes {
  #bytes = Buffer.allocUnsafe(16_384);
  #length = 0;
  #isEmpty = true;

  constructor(declaration) {
    this.#write(`{"tools":${JSON.stringify([{ functionDeclarations: [declaration] }])},"contents":[`);
  }

  add(content) {
    const json = JSON.stringify(content);
    this.#write(this.#isEmpty ? json : `,${json}`);
    this.#isEmpty = false;
  }

  /** The current body. Valid until the next `add`. */
  body() {
    return this.#bytes.subarray(0, this.#length + this.#bytes.write(CLOSE, this.#length));
  }

  #write(text) {
    const needed = this.#length + text.length * 3 + CLOSE.length;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(needed * 2);
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#length += this.#bytes.write(text, this.#length);
  }
}
