import { cutText } from "../../internal/text.ts";
import type { Logger } from "../../logging/logger.ts";
import type { PartialResponse } from "../../loop/turn/partial-answer.ts";
import type { Part } from "../../wire/types/content.ts";
import type { HeldLease } from "./lease.ts";

/** Least time between two writes of a draft, in milliseconds. */
const DRAFT_EVERY_MS = 500;

/** Most that a draft holds: characters of its parts as JSON. */
const MAX_DRAFT_CHARACTERS = 262_144;

/** Keeps the draft of an unfinished answer in its store: at most two writes a second, one at a time. A slow store delays no run. */
export class DraftWriter {
  readonly #lease: HeldLease;
  readonly #logger: Logger;
  #partial: PartialResponse | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing = false;
  #isStored = false;
  #failed = false;

  constructor(lease: HeldLease, logger: Logger) {
    this.#lease = lease;
    this.#logger = logger;
  }

  /** Called whenever the answer under way grew, or became void. */
  readonly changed = (partial: PartialResponse): void => {
    this.#partial = partial;
    if (this.#timer !== undefined || this.#writing) return;
    this.#timer = setTimeout(() => void this.#write(), DRAFT_EVERY_MS);
  };

  release(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#partial = undefined;
    this.#writing = true;
  }

  async #write(): Promise<void> {
    this.#timer = undefined;
    const partial = this.#partial;
    this.#partial = undefined;
    if (partial === undefined) return;
    const { step, place, attempt, unchecked } = partial;
    const { parts, truncated } = boundParts(partial.shown());
    if (parts.length === 0 && !this.#isStored) return;
    this.#writing = true;
    try {
      const draft = {
        step,
        place,
        attempt,
        parts,
        ...(unchecked !== undefined && { guarded: true as const }),
        ...(truncated && { truncated }),
      };
      await this.#lease.setDraft(parts.length === 0 ? undefined : draft);
      this.#isStored = parts.length > 0;
    } catch (error) {
      // The run does not depend on it, and its next append says what is wrong with the store.
      if (!this.#failed) this.#logger.warn({ err: error }, "a draft could not be written");
      this.#failed = true;
    }
    this.#writing = false;
    if (this.#partial !== undefined) this.changed(this.#partial);
  }
}

/** As many parts, from the first on, as a draft may hold; the last text is cut. */
export function boundParts(all: readonly Part[]): { readonly parts: readonly Part[]; readonly truncated: boolean } {
  let room = MAX_DRAFT_CHARACTERS;
  const parts: Part[] = [];
  for (const part of all) {
    const size = sizeOf(part, room);
    if (size > room) {
      const isText = Object.keys(part).every((key) => key === "text" || key === "thought");
      if (isText && part.text !== undefined) parts.push({ ...part, text: cutText(part.text, Math.max(0, room - 32)) });
      return { parts, truncated: true };
    }
    parts.push(part);
    room -= size;
  }
  return { parts, truncated: false };
}

/** Characters of a part as JSON, or about so many; media that do not fit are not written out to find that out. */
function sizeOf(part: Part, room: number): number {
  const { text, inlineData } = part;
  const long = (text?.length ?? 0) + (inlineData?.data.length ?? 0);
  return long > room ? long : JSON.stringify(part).length;
}
