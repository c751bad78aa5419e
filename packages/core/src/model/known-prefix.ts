import type { Content } from "../wire/types/content.ts";

/**
 * The start of a conversation that was looked at already, so that a long history is not gone through again with each
 * turn. Remembered by identity: a content must not be changed after it was sent.
 */
export class KnownPrefix {
  #known: readonly Content[] = [];

  /** How many of these contents were looked at: all that were remembered, when they still stand there, else none. */
  lengthIn(contents: readonly Content[]): number {
    const known = this.#known;
    for (let i = 0; i < known.length; i++) if (known[i] !== contents[i]) return 0;
    return known.length;
  }

  remember(contents: readonly Content[], length: number): void {
    this.#known = contents.slice(0, length);
  }
}
