/** Longest control string, such as a window title, that is skipped. */
const MAX_STRING = 4096;

type State = "text" | "escape" | "sequence" | "string" | "string-escape";

/**
 * Converts terminal output to plain text, piece by piece: joins characters split across pieces, removes escape sequences and
 * control characters, and turns a carriage return into a line break.
 */
export class PlainText {
  readonly #decoder = new TextDecoder();
  #state: State = "text";
  #stringLength = 0;
  #wasReturn = false;

  /** The text of the next piece. Invalid UTF-8 becomes U+FFFD. */
  add(bytes: Uint8Array): string {
    return this.#clean(this.#decoder.decode(bytes, { stream: true }));
  }

  /** The remaining text at the end. */
  end(): string {
    return this.#clean(this.#decoder.decode());
  }

  #clean(text: string): string {
    // Most output needs no changes.
    if (this.#state === "text" && !this.#wasReturn && !/[^\P{Cc}\t\n]/u.test(text)) return text;
    let clean = "";
    for (const character of text) clean += this.#take(character);
    return clean;
  }

  /** Text for one character. */
  #take(character: string): string {
    switch (this.#state) {
      case "text":
        return this.#takeText(character);
      case "escape":
        if (character === "[") this.#state = "sequence";
        else if ("]PX^_".includes(character)) this.#beginString();
        // Intermediate bytes come before a final byte.
        else if (!/[ -/]/.test(character)) this.#state = "text";
        return "";
      case "sequence":
        if (character === "\u001b") this.#state = "escape";
        else if (/[@-~]/.test(character)) this.#state = "text";
        // Not valid in a sequence: the sequence was truncated.
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
