import type { AiSdkVersion } from "@pollux/web/ai-sdk";
import * as ai5 from "ai-v5";
import * as ai6 from "ai-v6";
import * as ai7 from "ai";
import type { BuiltMessage } from "./page.ts";

/** What `useChat` is made of, with its state in a variable. The same in each version, but for approvals. */
export interface ChatClient {
  messages: BuiltMessage[];
  readonly status: string;
  readonly error: Error | undefined;
  sendMessage(
    message?: { readonly text: string; readonly messageId?: string; readonly metadata?: unknown },
    options?: { readonly body?: object },
  ): Promise<void>;
  regenerate(options?: { readonly messageId?: string }): Promise<void>;
  resumeStream(): Promise<void>;
  stop(): Promise<void>;
  addToolOutput(answer: {
    readonly tool: string;
    readonly toolCallId: string;
    readonly output?: unknown;
    readonly state?: "output-error";
    readonly errorText?: string;
  }): Promise<void>;
  addToolApprovalResponse(answer: {
    readonly id: string;
    readonly approved: boolean;
    readonly reason?: string;
  }): Promise<void>;
}

/** Options of a client that all versions have. */
export interface ChatClientOptions {
  readonly id: string;
  readonly messages?: readonly BuiltMessage[];
  readonly fetch: typeof fetch;
  /** What is sent, where it isn't all messages. */
  readonly prepareSendMessagesRequest?: (request: {
    readonly id: string;
    readonly messages: readonly BuiltMessage[];
  }) => { readonly body: object };
  /** Gets transient data parts. */
  readonly onData?: (part: { readonly type: string; readonly data: unknown }) => void;
  /** Gets each message as the page shows it, each time that it has changed. */
  readonly onMessage?: (message: BuiltMessage) => void;
}

class ClientState {
  status = "ready";
  error: Error | undefined;
  messages: BuiltMessage[];

  readonly #onMessage: (message: BuiltMessage) => void;

  constructor(messages: readonly BuiltMessage[], onMessage: (message: BuiltMessage) => void) {
    this.messages = [...messages];
    this.#onMessage = onMessage;
  }

  readonly pushMessage = (message: BuiltMessage): void => this.replaceMessage(this.messages.length, message);
  readonly popMessage = (): void => void this.messages.pop();
  readonly replaceMessage = (index: number, message: BuiltMessage): void => {
    const shown = structuredClone(message);
    this.messages[index] = shown;
    this.#onMessage(shown);
  };
  readonly snapshot = <T>(value: T): T => structuredClone(value);
}

/** A page with a chat, that sends answers by itself once all are given. */
export function openChat(
  version: AiSdkVersion,
  { id, messages = [], onData, onMessage = () => {}, ...transport }: ChatClientOptions,
): ChatClient {
  // The packages differ in types that don't matter here.
  const ai = { 5: ai5, 6: ai6, 7: ai7 }[version] as unknown as {
    readonly AbstractChat: new (options: object) => ChatClient;
    readonly DefaultChatTransport: new (options: object) => object;
    readonly lastAssistantMessageIsCompleteWithToolCalls: (given: object) => boolean;
    readonly lastAssistantMessageIsCompleteWithApprovalResponses?: (given: object) => boolean;
  };
  class Chat extends ai.AbstractChat {}
  return new Chat({
    id,
    state: new ClientState(messages, onMessage),
    onData,
    transport: new ai.DefaultChatTransport({ api: "https://chat.example.com/api/chat", ...transport }),
    sendAutomaticallyWhen: (given: object) =>
      ai.lastAssistantMessageIsCompleteWithToolCalls(given) ||
      ai.lastAssistantMessageIsCompleteWithApprovalResponses?.(given) === true,
  });
}
