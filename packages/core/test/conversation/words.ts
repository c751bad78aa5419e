import type { Conversation, ConversationUpdate, MessagePart } from "@pollux/core/conversation";

/** Texts and thoughts in updates, by the ids of their message and part: current ones, earlier ones, and those sent again. */
export class Words {
  /** Texts that were sent although they were known, with how they were sent. */
  readonly again: string[] = [];
  readonly #standing = new Map<string, string>();
  readonly #ever = new Map<string, Set<string>>();
  #hasTakenBack = false;

  /** Whether some sent text was removed or replaced. */
  get hasTakenBack(): boolean {
    return this.#hasTakenBack;
  }

  get standing(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#standing);
  }

  /** Every text that a part has had. */
  everOf(key: string): readonly string[] {
    return [...(this.#ever.get(key) ?? [])];
  }

  read(update: ConversationUpdate): void {
    if (update.type === "snapshot") {
      // A snapshot starts over.
      this.#standing.clear();
      for (const [key, text] of textsById(update.conversation)) this.#stand(key, text);
      return;
    }
    const removed = new Map<string, string>();
    for (const change of update.changes) {
      switch (change.type) {
        case "message":
          for (const part of change.message.parts) this.#readPart(change.message.id, part, removed);
          break;
        case "part":
          this.#readPart(change.messageId, change.part, removed);
          break;
        case "text": {
          const key = keyOf(change.messageId, change.partId);
          const known = this.#standing.get(key) ?? "";
          if (change.offset !== known.length) this.again.push(`${key}, from ${change.offset} on: ${change.delta}`);
          this.#stand(key, known + change.delta);
          break;
        }
        case "part-fields": {
          const key = keyOf(change.messageId, change.partId);
          const known = this.#standing.get(key);
          const text = change.set["text"];
          if (known === undefined || typeof text !== "string") break;
          if (text.startsWith(known)) this.again.push(`${key}, instead of what is new: ${text}`);
          this.#hasTakenBack = true;
          this.#stand(key, text);
          break;
        }
        case "remove":
          for (const id of change.partIds) this.#takeBack(keyOf(change.messageId, id), removed);
          break;
        case "take-back":
          for (const key of this.#standing.keys())
            if (change.ids.some((id) => key.startsWith(keyOf(id, "")))) this.#takeBack(key, removed);
          break;
        default:
      }
    }
  }

  #readPart(messageId: string, part: MessagePart, removed: ReadonlyMap<string, string>): void {
    if (!("text" in part)) return;
    const key = keyOf(messageId, part.id);
    const before = removed.get(key);
    if (before !== undefined && part.text.startsWith(before)) this.again.push(`${key}, removed and back: ${part.text}`);
    if (this.#standing.has(key)) this.again.push(`${key}, as another part: ${part.text}`);
    this.#stand(key, part.text);
  }

  #stand(key: string, text: string): void {
    this.#standing.set(key, text);
    this.#ever.set(key, (this.#ever.get(key) ?? new Set()).add(text));
  }

  #takeBack(key: string, removed: Map<string, string>): void {
    const text = this.#standing.get(key);
    if (text === undefined) return;
    this.#hasTakenBack = true;
    this.#standing.delete(key);
    removed.set(key, text);
  }
}

/** Texts and thoughts of a conversation, by the ids of their message and part. */
export function textsById({ messages }: Conversation): readonly (readonly [string, string])[] {
  return messages.flatMap(({ id, parts }) =>
    parts.flatMap((part) => ("text" in part ? [[keyOf(id, part.id), part.text] as const] : [])),
  );
}

function keyOf(messageId: string, partId: string): string {
  return `${messageId} ${partId}`;
}
