import { HttpError } from "./http-error.ts";

/** Limits how many answers of one owner are being read at once, in this process. */
export class OpenStreams {
  readonly #most: number;
  readonly #open: Map<string, number> = new Map();

  constructor(most: number) {
    this.#most = most;
  }

  /** Counts one in. @returns Called when it is over, once or more. @throws {HttpError} When it is one too many. */
  take(owner: string): () => void {
    const open = this.#open.get(owner) ?? 0;
    if (open >= this.#most)
      throw new HttpError(
        429,
        "too_many_streams",
        "Too many pages are reading your conversations. Close one and try again.",
        { "retry-after": "5" },
      );
    this.#open.set(owner, open + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      const left = (this.#open.get(owner) ?? 1) - 1;
      if (left > 0) this.#open.set(owner, left);
      else this.#open.delete(owner);
    };
  }
}
