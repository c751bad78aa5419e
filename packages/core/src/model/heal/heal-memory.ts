import type { GenerateContentRequest } from "../../wire/types/generate-content.ts";

/** A change to a rejected request. */
export type HealName =
  | "repeat-request"
  | "replace-signatures"
  | "sign-calls"
  | "strip-ids"
  | "end-with-user"
  | "schema-subset"
  | "drop-tool-flag"
  | "add-tool-flag"
  | "drop-thinking"
  | "simplify-schema"
  | "any-to-auto";

/** What one heal made of contents and tools, so that later requests reuse the same objects and serialize none again. */
export type HealMemo = WeakMap<object, object>;

/** Heals of one conversation, and what they made of its contents. */
export class HealMemory {
  /** The last request of this conversation that was answered, as sent. */
  answered: GenerateContentRequest | undefined;
  readonly active: Set<HealName> = new Set<HealName>();
  readonly #memos = new Map<HealName, HealMemo>();

  memo(name: HealName): HealMemo {
    let memo = this.#memos.get(name);
    if (memo === undefined) this.#memos.set(name, (memo = new WeakMap<object, object>()));
    return memo;
  }
}
