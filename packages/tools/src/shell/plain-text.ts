/** Longest control string, such as a window title, that is waited out. */
const MAX_STRING = 4096;

type State = "text" | "escape" | "sequence" | "string" | "string-escape";

/**
 * Makes plain text of what a program wrote for a terminal, piece by piece: characters that come in two pieces are put
 * together, escape sequences and control characters are taken out, and a carriage return ends a line.
 */
export class PlainText {
  readonly #decoder = new TextDecoder();
  #state: State = "text";
  #stringLength = 0;
  #wasReturn = false;

  /** The text of the next piece. Bytes that are no UTF-8 become U+FFFD. */
  add(bytes: Uint8Array): string {
    return this.#clean(this.#decoder.decode(bytes, { stream: true }));
  }

  /** What is left at the end. */
  end(): string {
    return this.#clean(this.#decoder.decode());
  }

  #clean(text: string): string {
    // Most output needs nothing done.
    if (this.#state === "text" && !this.#wasReturn && !/[^\P{Cc}\t\n]/u.test(text)) return text;
    let clean = "";
    for (const character of text) clean += this.#take(character);
    return clean;
  }

  /** What one character adds to the text. */
  #take(character: string): string {
    switch (this.#state) {
      case "text":
        return this.#takeText(character);
      case "escape":
        if (character === "[") this.#state = "sequence";
        else if ("]PX^_".includes(character)) this.#beginString();
        // Bytes between come before a final one.
        else if (!/[ -/]/.test(character)) this.#state = "text";
        return "";
      case "sequence":
        if (character === "\u001b") this.#state = "escape";
        else if (/[@-~]/.test(character)) this.#state = "text";
        // No sequence holds this: it was cut off.
        else if (!/[ -?]/.test(character)) {
          this.#state = "text";
          return this.#takeText(character);
        }
        return "";
      case "string":
        if (character === "\u0007" || character === "\u009c" || ++this.#stringLength > MAX_STRING) this.#state = "text";
        else if (character === "\u001b") this.#state = "string-escape";
        return "";
      case "string-escape":
        this.#state = character === "\\" ? "text" : "escape";
        return character === "\\" ? "" : this.#take(character);
    }
  }

  #takeText(character: string): string {
    const wasReturn = this.#wasReturn;
    this.#wasReturn = character === "\r";
    if (character === "\r") return "\n";
    if (character === "\n") return wasReturn ? "" : "\n";
    if (character === "\u001b") this.#state = "escape";
    else if (character === "\u009b") this.#state = "sequence";
    else if (/[\u0090\u0098\u009d-\u009f]/.test(character)) this.#beginString();
    else if (character === "\t" || !/\p{Cc}/u.test(character)) return character;
    return "";
  }

  #beginString(): void {
    this.#state = "string";
    this.#stringLength = 0;
  }
}
