import type { UIMessageMetadata } from "./ui-message.ts";

/** Major version of the `ai` package in the browser. */
export type AiSdkVersion = 5 | 6 | 7;

/** By provider. Everything of ours is under `pollux`. */
export interface ProviderMetadata {
  [provider: string]: { [name: string]: MetadataValue };
}

type MetadataValue = null | string | number | boolean | MetadataValue[] | { [name: string]: MetadataValue };

/**
 * One event of the AI SDK's UI message stream. A client fails on a type that its version doesn't know, so the chunks
 * depend on the version. Fits the `UIMessageChunk` of `ai`, version 7, which is why absent is not undefined and lists
 * are not readonly.
 *
 * @see https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
 */
export type UIMessageChunk =
  | {
      readonly type: "start";
      readonly messageId?: string;
      readonly messageMetadata?: UIMessageMetadata;
    }
  | { readonly type: "start-step" | "finish-step" }
  /** Removes everything since the last `start-step`. From version 7 on. */
  | { readonly type: "reset-step" }
  | { readonly type: "text-start" | "reasoning-start"; readonly id: string }
  | { readonly type: "text-delta" | "reasoning-delta"; readonly id: string; readonly delta: string }
  | { readonly type: "reasoning-end"; readonly id: string }
  | {
      readonly type: "text-end";
      readonly id: string;
      /** From version 7 on. */
      readonly citations?: UICitation[];
      readonly providerMetadata?: ProviderMetadata;
    }
  | {
      readonly type: "tool-input-start";
      readonly toolCallId: string;
      readonly toolName: string;
      readonly dynamic?: true;
      readonly providerExecuted?: true;
    }
  | { readonly type: "tool-input-delta"; readonly toolCallId: string; readonly inputTextDelta: string }
  | {
      readonly type: "tool-input-available";
      readonly toolCallId: string;
      readonly toolName: string;
      readonly input: unknown;
      readonly dynamic?: true;
      readonly providerExecuted?: true;
      readonly providerMetadata?: ProviderMetadata;
    }
  /** From version 6 on. */
  | { readonly type: "tool-approval-request"; readonly approvalId: string; readonly toolCallId: string }
  /** From version 7 on. */
  | { readonly type: "tool-approval-response"; readonly approvalId: string; readonly approved: boolean }
  | {
      readonly type: "tool-output-available";
      readonly toolCallId: string;
      readonly output: unknown;
      /** It is progress; the next output replaces it. */
      readonly preliminary?: true;
      readonly dynamic?: true;
      readonly providerExecuted?: true;
    }
  | {
      readonly type: "tool-output-error";
      readonly toolCallId: string;
      readonly errorText: string;
      readonly dynamic?: true;
      readonly providerExecuted?: true;
      readonly providerMetadata?: ProviderMetadata;
    }
  /** From version 6 on. */
  | { readonly type: "tool-output-denied"; readonly toolCallId: string }
  | {
      readonly type: "source-url";
      readonly sourceId: string;
      readonly url: string;
      readonly title?: string;
      readonly providerMetadata?: ProviderMetadata;
    }
  | {
      readonly type: "source-document";
      readonly sourceId: string;
      readonly mediaType: string;
      readonly title: string;
      readonly providerMetadata?: ProviderMetadata;
    }
  | { readonly type: "file"; readonly url: string; readonly mediaType: string }
  /** From version 7 on. */
  | { readonly type: "reasoning-file"; readonly url: string; readonly mediaType: string }
  /** From version 7 on. */
  | { readonly type: "steering-message"; readonly id: string; readonly parts: UISteeringContent[] }
  /** Transient: for `onData` of the page, and not part of a message. */
  | { readonly type: `data-${string}`; readonly id?: string; readonly data: unknown; readonly transient?: boolean }
  | { readonly type: "message-metadata"; readonly messageMetadata: Partial<UIMessageMetadata> }
  | { readonly type: "finish"; readonly finishReason: UIFinishReason }
  | { readonly type: "abort"; readonly reason?: string }
  | { readonly type: "error"; readonly errorText: string };

/** Why a response ended, as the AI SDK names it. */
export type UIFinishReason = "stop" | "length" | "content-filter" | "tool-calls" | "error" | "other";

/** A range of a text, and a source that supports it. */
export interface UICitation {
  readonly source:
    | {
        readonly type: "source";
        readonly sourceType: "url";
        readonly id: string;
        readonly url: string;
        readonly title?: string;
      }
    | {
        readonly type: "source";
        readonly sourceType: "document";
        readonly id: string;
        readonly mediaType: string;
        readonly title: string;
      };
  /** First UTF-16 index in the part's text. */
  readonly startIndex: number;
  /** UTF-16 index after the last. */
  readonly endIndex: number;
}

/** What a message in the middle of a run contains. */
export type UISteeringContent =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "file";
      readonly url: string;
      readonly mediaType: string;
      readonly filename?: string;
    };
