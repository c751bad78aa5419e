import type { ChatProtocol } from "../chat-protocol.ts";
import { EVENT_STREAM_HEADERS, writeEvent } from "../handler/event-stream.ts";
import { toAgUiSnapshot } from "./ag-ui-events.ts";
import { AgUiEncoder, type AgUiOptions } from "./encode-message.ts";
import { type AgUiEvent, dataEvent } from "./events.ts";
import { toAgUiMessages } from "./message-entries.ts";
import { type AgUiInputOptions, fromAgUiInput } from "./read-input.ts";

/**
 * The protocol of AG-UI 1.0: clients with `HttpAgent`, such as CopilotKit.
 *
 * @see https://docs.ag-ui.com
 */
export function agUi(options: AgUiOptions & AgUiInputOptions = {}): ChatProtocol<AgUiEvent> {
  return {
    headers: EVENT_STREAM_HEADERS,
    read: (body) => fromAgUiInput(body, options),
    encoder: ({ known, request }) => new AgUiEncoder({ ...options, known, runId: request?.runId }),
    data: dataEvent,
    retry: (value) => ({ type: "CUSTOM", name: "pollux.retry", value }),
    write: writeEvent,
    idle: (conversation, request) => toAgUiSnapshot(conversation, { ...options, runId: request?.runId }),
    messages: (conversation) => toAgUiMessages(conversation, options),
  };
}
