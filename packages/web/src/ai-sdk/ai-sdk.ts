import type { Conversation, Message } from "@pollux/core/conversation";
import { othersAsked } from "../answerable.ts";
import type { ChatAnswer, ChatProtocol } from "../chat-protocol.ts";
import { writeEvent } from "../handler/event-stream.ts";
import { ENDED } from "../message-turns.ts";
import type { UIMessageChunk } from "./chunks.ts";
import { AiSdkEncoder, type AiSdkOptions } from "./encode-message.ts";
import { fromUIMessages, type ReadRequestOptions } from "./read-request.ts";
import { dataChunk, UI_MESSAGE_STREAM_END, UI_MESSAGE_STREAM_HEADERS } from "./ui-message-stream.ts";
import { toUIMessages } from "./ui-messages.ts";

/**
 * The protocol of the AI SDK: pages with `useChat`, version 5, 6 or 7.
 *
 * @see https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
 * @example
 * ```ts
 * const handler = chatHandler({ agent, store, authorize, protocol: aiSdk({ version: 7 }) });
 * ```
 */
export function aiSdk(options: AiSdkOptions & ReadRequestOptions = {}): ChatProtocol<UIMessageChunk> {
  const { version = 6 } = options;
  if (![5, 6, 7].includes(version)) throw new TypeError(`version must be 5, 6 or 7, got ${version}`);
  return {
    headers: UI_MESSAGE_STREAM_HEADERS,
    end: UI_MESSAGE_STREAM_END,
    // The transports of all versions make it the message of the error that a page shows.
    errors: "text",
    read: (body) => fromUIMessages(body, options),
    encoder: ({ known, request }) =>
      new AiSdkEncoder({
        ...options,
        // A page adds to its last message. After a user message it starts a new one, whatever id it then gets.
        known: request?.message === undefined ? known && asShown(known, request?.answers) : undefined,
        isReplay: request === undefined,
      }),
    data: dataChunk,
    retry: (data) => ({ type: "data-retry", data, transient: true }),
    write: writeEvent,
    idle: (conversation, request) => request && keptMessage(conversation),
    messages: (conversation) => toUIMessages(conversation, options),
  };
}

/** A message as the page has it: it knows only the outcomes that it sent; calls of the last step may have been answered elsewhere since. */
function asShown(message: Message, answers: readonly ChatAnswer[] = []): Message {
  const known = new Set(answers.flatMap(({ callId, outcome }) => (outcome === undefined ? [] : [callId])));
  const last = message.parts.findLastIndex(({ type }) => type === "turn");
  const parts = message.parts.map((part, index) => {
    if (index < last || part.type !== "tool-call" || known.has(part.id) || !ENDED.has(part.state)) return part;
    const { output: _output, failure: _failure, ...call } = part;
    return { ...call, state: "called" } as const;
  });
  return { ...message, parts };
}

/** Adds no message to the page: the user's message is answered once somebody else has answered. */
function keptMessage(conversation: Conversation): readonly UIMessageChunk[] {
  const data = { waitsFor: othersAsked(conversation) ?? [] };
  return [
    { type: "data-queued", data, transient: true },
    { type: "finish", finishReason: "other" },
  ];
}
