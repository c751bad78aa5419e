import { textSlices } from "../text-slices.ts";
import type { AgUiEvent } from "./events.ts";
import type { AgUiMetadata } from "./messages.ts";

/** Roles of messages that come word by word. */
type TextRole = "assistant" | "reasoning" | "user";

/** Opens, continues and closes the messages that come word by word. One that was closed is opened again when it grows. */
export class TextEvents {
  readonly #open: Map<string, TextRole> = new Map();

  /** Adds to the text of a message, and opens it first if needed. */
  add(messageId: string, role: TextRole, text: string): readonly AgUiEvent[] {
    if (text === "") return [];
    const type = role === "reasoning" ? "REASONING_MESSAGE_CONTENT" : "TEXT_MESSAGE_CONTENT";
    const started = this.#open.has(messageId) ? [] : start(messageId, role);
    this.#open.set(messageId, role);
    return [...started, ...Array.from(textSlices(text), (delta) => ({ type, messageId, delta }) as const)];
  }

  /** Sends metadata of a message of the assistant, before its text. */
  mark(messageId: string, metadata: AgUiMetadata): readonly AgUiEvent[] {
    const ended = this.end(messageId);
    this.#open.set(messageId, "assistant");
    return [...ended, { type: "TEXT_MESSAGE_START", messageId, role: "assistant", metadata }];
  }

  /** Closes all open messages. */
  close(): readonly AgUiEvent[] {
    return [...this.#open.keys()].flatMap((messageId) => this.end(messageId));
  }

  /** Closes a message, if it is open. */
  end(messageId: string): readonly AgUiEvent[] {
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
