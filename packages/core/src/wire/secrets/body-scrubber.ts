import { sharedPrefix } from "../../internal/bytes.ts";
import { redactUtf8 } from "./redact-bytes.ts";

/**
 * Takes the secrets out of the JSON bodies of a conversation. Searches only what the body before did not have; holds one body, or two
 * if there was a secret in it.
 */
export class BodyScrubber {
  #secrets: readonly string[] = [];
  #raw: Uint8Array = NOTHING;
  #clean: Uint8Array = NOTHING;

  /** Takes out these from now on. @returns The same array for the same secrets, which is searched for faster. */
  use(secrets: readonly string[]): readonly string[] {
    if (secrets.length === this.#secrets.length && secrets.every((secret, index) => secret === this.#secrets[index]))
      return this.#secrets;
    this.#raw = NOTHING;
    this.#clean = NOTHING;
    return (this.#secrets = secrets);
  }

  /**
   * A copy of the body, with secrets overwritten in place, so that its length and all offsets stay the same.
   *
   * @param body - UTF-8.
   */
  clean(body: Uint8Array): Uint8Array {
    // Not `slice`: a Buffer would share its memory.
    const raw = new Uint8Array(body);
    const from = startOfObject(raw, sharedPrefix(raw, this.#raw));
    const rest = raw.subarray(from);
    const cleanRest = redactUtf8(rest, this.#secrets);
    let clean = raw;
    if (cleanRest !== rest || this.#clean !== this.#raw) {
      clean = new Uint8Array(raw.length);
      clean.set(this.#clean.subarray(0, from));
      clean.set(cleanRest, from);
    }
    this.#raw = raw;
    this.#clean = clean;
    return clean;
  }
}

const NOTHING = new Uint8Array();

/**
 * Where the last object of a list begins, at or before a position: between `},` and `{"`, which no string contains, since quotes are
 * escaped in it. So no text, and no secret in one, is split there.
 */
function startOfObject(json: Uint8Array, position: number): number {
  for (let at = Math.min(position, json.length - 4); at >= 0; at--)
    if (json[at] === 0x7d && json[at + 1] === 0x2c && json[at + 2] === 0x7b && json[at + 3] === 0x22) return at;
  return 0;
}
