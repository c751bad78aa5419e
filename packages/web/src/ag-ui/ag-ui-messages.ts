import type { Conversation } from "@pollux/core";
import { messageEntries, userMessage } from "./message-entries.ts";
import type { AgUiMessage } from "./messages.ts";

/**
 * A conversation as the messages of AG-UI: the same as a client has that followed the runs. What was said and not heard yet stands at
 * the end.
 */
export function toAgUiMessages({ messages, queued }: Conversation): readonly AgUiMessage[] {
  return [
    ...messages.flatMap((message) =>
      message.role === "user"
        ? [userMessage(message, false)]
        : messageEntries(message).map(({ message: shown }) => shown),
    ),
    ...queued.map((one) => userMessage(one, true)),
  ];
}
