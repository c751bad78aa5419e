import type { ChatProtocol } from "../chat-protocol.ts";
import type { UIMessageChunk } from "./chunks.ts";
import { AiSdkEncoder, type AiSdkOptions } from "./encode-message.ts";
import { fromUIMessages, type ReadRequestOptions } from "./read-request.ts";
import { UI_MESSAGE_STREAM_END, UI_MESSAGE_STREAM_HEADERS, writeChunk } from "./ui-message-stream.ts";
import { toUIMessages } from "./ui-messages.ts";

/**
 * The protocol of the AI SDK: pages with `useChat`, version 5, 6 or 7.
 *
 * @see https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
 */
export function aiSdk(options: AiSdkOptions & ReadRequestOptions = {}): ChatProtocol<UIMessageChunk> {
  const { version = 6 } = options;
  if (![5, 6, 7].includes(version)) throw new TypeError(`version must be 5, 6 or 7, got ${version}`);
  return {
    headers: UI_MESSAGE_STREAM_HEADERS,
    end: UI_MESSAGE_STREAM_END,
    read: (body) => fromUIMessages(body, options),
    encoder: ({ known, request }) =>
      new AiSdkEncoder({
        ...options,
        // A page adds to its last message. After one of the user it begins anew, whatever id it is then given.
        known: request?.message === undefined ? known : undefined,
        isReplay: request === undefined,
      }),
    write: writeChunk,
    messages: (conversation) => toUIMessages(conversation, options),
  };
}
