import type { Conversation } from "@pollux/core/conversation";
import type { AgUiOptions } from "./encode-message.ts";
import { messageEntries, queuedMessages, userMessage } from "./message-entries.ts";
import type { AgUiMessage } from "./messages.ts";

/**
 * A conversation as the messages of AG-UI: the same as a client has that followed the runs. What was said and not heard yet stands at
 * the end.
 */
export function toAgUiMessages(
  conversation: Conversation,
  { isAnswerable }: Pick<AgUiOptions, "isAnswerable"> = {},
): readonly AgUiMessage[] {
  return [
    ...conversation.messages.flatMap((message) =>
      message.role === "user"
        ? [userMessage(message)]
        : messageEntries(message, isAnswerable).map(({ message: shown }) => shown),
    ),
    ...queuedMessages(conversation),
  ];
}
