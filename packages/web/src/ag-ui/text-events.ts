import { textSlices } from "../text-slices.ts";
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
    const events = this.add(messageId, role, text.slice(before?.length ?? 0));
    return isOpen ? events : [...events, ...this.#end(messageId)];
  }

  /** More of the text of a message. */
  add(messageId: string, role: TextRole, text: string): readonly AgUiEvent[] {
    if (text === "") return [];
    const type = role === "reasoning" ? "REASONING_MESSAGE_CONTENT" : "TEXT_MESSAGE_CONTENT";
    const started = this.#open.has(messageId) ? [] : start(messageId, role);
    this.#open.set(messageId, role);
    return [...started, ...Array.from(textSlices(text), (delta) => ({ type, messageId, delta }) as const)];
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
