import type { AgUiEvent } from "./events.ts";

/** Roles of messages that come word by word. */
type TextRole = "assistant" | "reasoning" | "user";

/** Opens, continues and closes the messages that come word by word. One that was closed is opened again when it grows. */
export class TextEvents {
  readonly #open: Map<string, TextRole> = new Map();

  /** Leads a client from one text of a message to a longer one; no text before means no message. */
  show(
    messageId: string,
    role: TextRole,
    { text, before, isOpen }: { readonly text: string; readonly before: string | undefined; readonly isOpen: boolean },
  ): readonly AgUiEvent[] {
    const events: AgUiEvent[] = [];
    const delta = text.slice(before?.length ?? 0);
    if (delta !== "" && !this.#open.has(messageId)) {
      this.#open.set(messageId, role);
      events.push(...start(messageId, role));
    }
    if (delta !== "") {
      const type = role === "reasoning" ? "REASONING_MESSAGE_CONTENT" : "TEXT_MESSAGE_CONTENT";
      events.push({ type, messageId, delta });
    }
    return isOpen ? events : [...events, ...this.#end(messageId)];
  }

  /** Closes what is open. */
  close(): readonly AgUiEvent[] {
    return [...this.#open.keys()].flatMap((messageId) => this.#end(messageId));
  }

  #end(messageId: string): readonly AgUiEvent[] {
    const role = this.#open.get(messageId);
    if (role === undefined) return [];
    this.#open.delete(messageId);
    if (role !== "reasoning") return [{ type: "TEXT_MESSAGE_END", messageId }];
    return [
      { type: "REASONING_MESSAGE_END", messageId },
      { type: "REASONING_END", messageId },
    ];
  }
}

function start(messageId: string, role: TextRole): readonly AgUiEvent[] {
  if (role !== "reasoning") return [{ type: "TEXT_MESSAGE_START", messageId, role }];
  return [
    { type: "REASONING_START", messageId },
    { type: "REASONING_MESSAGE_START", messageId, role },
  ];
}
