import { setMember } from "../../internal/json.ts";

/** A place in a JSON value: names of properties and positions in lists, from the root. */
export type JsonPath = readonly (string | number)[];

/** A change of a JSON value that grows: a new value at a path, or more text of the string there. */
export type OutputChange =
  | { readonly path: JsonPath; readonly value: unknown }
  | { readonly path: JsonPath; readonly append: string };

/** What a piece of text adds to a JSON value. */
export interface OutputDelta {
  /** In order; empty when the text only ends something. */
  readonly changes: readonly OutputChange[];
  /** The innermost value that is not yet whole; those around it are not either, and all others are. Absent when the root is whole. */
  readonly open?: JsonPath | undefined;
}

/** Levels that grow visibly. What is nested deeper appears once it is whole, so that paths stay short. */
const MAX_DEPTH = 64;

/** An object or list that is not yet closed. */
interface Frame {
  readonly isList: boolean;
  /** Where the next value belongs. */
  key: string | number;
  /** Present while changes inside need no paths: it began in this piece of text, or it is too deep to be seen. */
  value: Record<string, unknown> | unknown[] | undefined;
}

type Expected = "start" | "fence" | "value" | "key" | "colon" | "comma" | "string" | "scalar" | "end" | "nothing";

/** Reads JSON in pieces, cut anywhere, and reports what each adds. Strings grow. Text that is not JSON adds nothing from there on. */
export class JsonGrowth {
  readonly #frames: Frame[] = [];
  #changes: OutputChange[] = [];
  #expected: Expected = "start";
  /** The scalar, the fence, or what this piece adds to the string. */
  #token = "";
  /** An escape sequence that is not yet whole. */
  #escape = "";
  #isKey = false;
  /** The string has appeared in an earlier piece. */
  #isShown = false;
  #hasBegun = false;

  /** Undefined when the text shows nothing new. */
  add(text: string): OutputDelta | undefined {
    if (this.#expected === "nothing") return undefined;
    const depth = this.#openDepth();
    const isInString = this.#isShown;
    this.#read(text);
    this.#showString();
    const isSame = this.#changes.length === 0 && this.#openDepth() === depth && this.#isShown === isInString;
    return isSame ? undefined : this.#step();
  }

  /** The text is over: a number at the root is whole. */
  end(): OutputDelta | undefined {
    if (this.#expected !== "scalar" || this.#frames.length > 0) return undefined;
    this.#endScalar();
    return this.#changes.length === 0 ? undefined : this.#step();
  }

  #step(): OutputDelta {
    const changes = this.#changes;
    this.#changes = [];
    for (const [depth, frame] of this.#frames.entries()) if (depth < MAX_DEPTH) frame.value = undefined;
    return this.#expected === "end" ? { changes } : { changes, open: this.#openPath() };
  }

  /** Visible objects and lists that are open; -1 when nothing is. */
  #openDepth(): number {
    return this.#hasBegun && this.#expected !== "end" ? Math.min(this.#frames.length, MAX_DEPTH) : -1;
  }

  #openPath(): JsonPath {
    const depth = this.#openDepth();
    // The last key is that of a value to come, unless it is a string that has begun.
    const keys = this.#frames.slice(0, this.#isShown ? depth : Math.max(0, depth - 1));
    return keys.map(({ key }) => key);
  }

  #read(text: string): void {
    for (let at = 0; at < text.length;) {
      if (this.#expected === "string") at = this.#readString(text, at);
      else if (this.#expected === "end" || this.#expected === "nothing") return;
      else at = this.#readToken(text, at);
    }
  }

  /** Reads one character, or none if it ends a scalar. */
  #readToken(text: string, at: number): number {
    const char = text.charAt(at);
    if (this.#expected === "fence") {
      this.#token += char;
      if (char === "\n" || this.#token.length > MAX_FENCE)
        this.#expected = FENCE.test(this.#token) ? "value" : "nothing";
      return at + 1;
    }
    if (this.#expected === "scalar") {
      if (!" \t\n\r,]}".includes(char)) {
        this.#token += char;
        return at + 1;
      }
      this.#endScalar();
      return at;
    }
    if (" \t\n\r".includes(char)) return at + 1;
    const frame = this.#frames.at(-1);
    if (this.#expected === "start" && char === "`") {
      this.#token = char;
      this.#expected = "fence";
    } else if (this.#expected === "colon") this.#expected = char === ":" ? "value" : "nothing";
    else if (this.#expected === "comma" || char === "}" || char === "]") this.#readMark(char, frame);
    else if (char === '"') {
      this.#isKey = this.#expected === "key";
      this.#token = "";
      this.#expected = "string";
    } else if (this.#expected === "key") this.#expected = "nothing";
    else if (char === "{" || char === "[") this.#open(char === "[");
    else if ("-0123456789tfn".includes(char)) {
      this.#token = char;
      this.#expected = "scalar";
    } else this.#expected = "nothing";
    return at + 1;
  }

  #readMark(char: string, frame: Frame | undefined): void {
    if (frame === undefined) this.#expected = "nothing";
    else if (char === "," && this.#expected === "comma") {
      if (typeof frame.key === "number") frame.key++;
      this.#expected = frame.isList ? "value" : "key";
    } else if (char === (frame.isList ? "]" : "}")) this.#close();
    else this.#expected = "nothing";
  }

  #open(isList: boolean): void {
    const value = isList ? [] : {};
    if (this.#frames.length < MAX_DEPTH) this.#place(value);
    this.#frames.push({ isList, key: isList ? 0 : "", value });
    this.#expected = isList ? "value" : "key";
  }

  #close(): void {
    const closed = this.#frames.pop();
    if (this.#frames.length >= MAX_DEPTH) this.#place(closed?.value);
    this.#valueEnded();
  }

  #valueEnded(): void {
    this.#expected = this.#frames.length === 0 ? "end" : "comma";
  }

  /** Puts a value where the innermost open one expects it. */
  #place(value: unknown): void {
    const frame = this.#frames.at(-1);
    this.#hasBegun = true;
    if (frame?.value === undefined) this.#changes.push({ path: this.#frames.map(({ key }) => key), value });
    else setMember(frame.value, frame.key, value);
  }

  #endScalar(): void {
    try {
      this.#place(JSON.parse(this.#token));
      this.#valueEnded();
    } catch {
      this.#expected = "nothing";
    }
  }

  #readString(text: string, from: number): number {
    if (this.#escape !== "") return this.#readEscape(text, from);
    let at = from;
    while (at < text.length && text[at] !== '"' && text[at] !== "\\") at++;
    this.#token += text.slice(from, at);
    if (at === text.length) return at;
    if (text[at] === "\\") this.#escape = "\\";
    else this.#endString();
    return at + 1;
  }

  #readEscape(text: string, at: number): number {
    this.#escape += text.charAt(at);
    if (this.#escape[1] === "u" && this.#escape.length < 6) return at + 1;
    try {
      // The escape of one character, which JSON.parse knows.
      this.#token += JSON.parse(`"${this.#escape}"`) as string;
    } catch {
      this.#expected = "nothing";
    }
    this.#escape = "";
    return at + 1;
  }

  #endString(): void {
    const frame = this.#frames.at(-1);
    if (this.#isKey) {
      if (frame !== undefined) frame.key = this.#token;
      this.#expected = "colon";
    } else {
      this.#showText(this.#token);
      this.#isShown = false;
      this.#valueEnded();
    }
  }

  /** At the end of a piece: shows the string so far, without half of a character. */
  #showString(): void {
    if (this.#expected !== "string" || this.#isKey || this.#frames.length > MAX_DEPTH) return;
    const last = this.#token.charCodeAt(this.#token.length - 1);
    const end = this.#token.length - (last >= 0xd800 && last < 0xdc00 ? 1 : 0);
    this.#showText(this.#token.slice(0, end));
    this.#token = this.#token.slice(end);
    this.#isShown = true;
  }

  #showText(text: string): void {
    if (!this.#isShown) this.#place(text);
    else if (text !== "") this.#changes.push({ path: this.#frames.map(({ key }) => key), append: text });
  }
}

/** Longest line that opens a fence. */
const MAX_FENCE = 32;
const FENCE = /^```(?:json)?\s*\n$/;
