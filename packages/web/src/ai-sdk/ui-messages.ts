import type { Conversation, Message, SaidPart } from "@pollux/core/conversation";
import { isLeftToUser, othersAsked } from "../answerable.ts";
import { defined, isRecord } from "../json.ts";
import type { AiSdkOptions } from "./encode-message.ts";
import { dataPart, fileOf, messageMetadata, messageSteps, messageTail, needsEmptyStep } from "./message-steps.ts";
import type { UIMessage, UIMessagePart } from "./ui-message.ts";

/**
 * A conversation as the messages of the AI SDK, for `useChat({ messages })`: the same that a page has after following
 * the runs. Queued messages are at the end.
 */
export function toUIMessages(
  conversation: Conversation,
  { version = 6, isDynamic = () => false, isAnswerable = isLeftToUser }: Omit<AiSdkOptions, "errorText"> = {},
): readonly UIMessage[] {
  const options = { version, isDynamic, isAnswerable };
  const waitsFor = othersAsked(conversation);
  return [
    ...conversation.messages.map((message) =>
      message.role === "user" ? userMessage(message) : assistantMessage(message, options),
    ),
    ...conversation.queued.map(({ id, at, parts, ...message }): UIMessage => ({
      id,
      role: "user",
      metadata: { ...clientMetadata(message), createdAt: at, queued: true, ...defined({ waitsFor }) },
      parts: parts.map(saidPart),
    })),
  ];
}

function userMessage({ id, runId, at, parts, ...message }: Message): UIMessage {
  const metadata = { ...clientMetadata(message), ...defined({ runId, createdAt: at }) };
  // A user message has only parts that a person can send.
  return { id, role: "user", metadata, parts: (parts as readonly SaidPart[]).map(saidPart) };
}

/** What the page sent with its message. */
function clientMetadata(message: object): object {
  return "metadata" in message && isRecord(message.metadata) ? message.metadata : {};
}

function saidPart(part: SaidPart): UIMessagePart {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text };
    case "media":
      return { type: "file", ...fileOf(part), ...defined({ filename: part.name }) };
    default:
      return dataPart("unknown", { keys: [...part.keys] });
  }
}

function assistantMessage(message: Message, options: Parameters<typeof messageSteps>[1]): UIMessage {
  const steps = messageSteps(message, options);
  const parts: UIMessagePart[] = [];
  for (const { id, entries } of steps) {
    if (id !== undefined) parts.push({ type: "step-start" });
    for (const { part } of entries) parts.push(part);
  }
  parts.push(...messageTail(message));
  if (needsEmptyStep(message, steps)) parts.push({ type: "step-start" });
  return { id: message.id, role: "assistant", metadata: messageMetadata(message), parts };
}
