import type { EndReason, PendingQuestion, UntrustedReason, Usage } from "@pollux/core";
import type { Message, MessageError, MessageState, ToolCallPart } from "@pollux/core/conversation";
import type { ProviderMetadata, UICitation, UISteeringContent } from "./chunks.ts";

/**
 * A message as the AI SDK's clients keep it. It fits the `UIMessage` of the `ai` package, whose three type parameters are
 * {@link UIMessageMetadata}, {@link UIMessageData} and `InferUITools<typeof agent>`.
 */
export interface UIMessage {
  readonly id: string;
  readonly role: "user" | "assistant";
  readonly metadata?: UIMessageMetadata | undefined;
  readonly parts: readonly UIMessagePart[];
}

/** Facts about a message besides its parts. */
export interface UIMessageMetadata {
  /** Absent for a message that came with a history. */
  readonly runId?: string | undefined;
  /** When its run began, in milliseconds since the epoch. */
  readonly createdAt?: number | undefined;
  /** Name of the agent that the message went to; a `data-handoff` part says who took over. Of answers only. */
  readonly agent?: string | undefined;
  /** Sent while a run is going or waits for somebody else, and not read by the run yet. */
  readonly queued?: true | undefined;
  /** Of a queued message: who must answer before it is read, by the names in their tools' `approvedBy`. Absent while a run is going. */
  readonly waitsFor?: readonly string[] | undefined;
  /** Of the assistant's messages, like all that follow. */
  readonly state?: MessageState | undefined;
  /** Calls that wait for an answer or a job. */
  readonly pending?: readonly UIPendingCall[] | undefined;
  /**
   * By the end of it, the model had read untrusted content, so a stranger may have chosen where its links lead. With `private`, show links
   * that only the model has written as plain text.
   */
  readonly untrusted?: true | undefined;
  /** By the end of it, the model had read private data, which an address in the message may leak to its host. */
  readonly private?: true | undefined;
  /** How the run ended. */
  readonly stopReason?: EndReason | undefined;
  /** The limit that ended it. */
  readonly limit?: string | undefined;
  /** Whose limit it is: the conversation's, or the user's across all conversations. Absent: the run's own. */
  readonly limitScope?: Message["limitScope"];
  /** The guardrail that ended it, with what its author lets people read about it. */
  readonly guardrail?: Message["guardrail"];
  /** Why it failed; safe to show to anyone. */
  readonly error?: MessageError | undefined;
  readonly usage?: Usage | undefined;
  /** In the unit of the price table; absent without one. */
  readonly cost?: number | undefined;
  /** Day of the price list, as `2026-11-23`; absent for other tables. */
  readonly pricesAsOf?: string | undefined;
}

/** A call that waits for an answer, or for a job that it has started. */
export interface UIPendingCall {
  readonly toolCallId: string;
  /** `approval`: may it run? `outcome`: what is its output? `unknown-outcome`: did it take effect? `job`: not for a page to answer. */
  readonly question: PendingQuestion;
  /** Names the question in an answer. */
  readonly token: string;
  /** Who may answer, as the tool says: `"user"`, or a name of the application's. Absent: the tool doesn't say. */
  readonly approvedBy?: string | undefined;
  /** The arguments that an approval may change. */
  readonly editable?: readonly string[] | undefined;
  /**
   * Why it is asked, if the reason is what the model has read; `explainUntrusted()` of `@pollux/core/conversation` puts
   * it in a sentence.
   */
  readonly because?: UntrustedReason | undefined;
  /** When the job began, when it times out, and when `progress` was reported, in milliseconds since the epoch. */
  readonly job?: ToolCallPart["job"];
  /** The job's last report. JSON. */
  readonly progress?: unknown;
}

/** The data parts, by name: `steering` is the data of a `data-steering` part. */
// A type, because an interface has no index signature, which the AI SDK's type parameter requires.
export type UIMessageData = {
  /** A user message in the middle of the run, where the model read it. Versions 5 and 6; a `steering-message` later. */
  steering: { parts: UISteeringContent[] };
  /** HTML that the terms of use of Google Search require next to the answer. */
  "search-suggestions": { html: string[] };
  /** Another agent answers from here on; `agent` of the metadata says who began. */
  handoff: { agent: string };
  /** From here on, the model reads a summary of the earlier messages. */
  compaction: Record<string, never>;
  /** The answer before it was never finished. `dropped`: the model doesn't see it. */
  interruption: { turn: number; dropped?: boolean };
  /** An image that the model made while it thought. Versions 5 and 6; a `reasoning-file` later. */
  "thought-file": { url: string; mediaType: string };
  /** A part that this release does not know: the names of its members. */
  unknown: { keys: string[] };
  /** The message that was sent is read when these have answered. For `onData`: not part of a message. */
  queued: { waitsFor: string[] };
  /** Whether guardrails hold the model's text until they have checked it. For `onData`: not part of a message. */
  checking: { isChecking: boolean };
  /** The model's service is busy; the request is sent again after this many milliseconds. For `onData`: not part of a message. */
  retry: { delayMs: number };
  /** This many steps before it are void, or all parts, and so is this part. Versions 5 and 6. See `withoutDiscards`. */
  discard: { steps: number | "all" };
};

/** A part of a message. */
export type UIMessagePart =
  | { readonly type: "step-start" }
  | UITextPart
  | UIReasoningPart
  | UIToolPart
  | UISourcePart
  | {
      readonly type: "file";
      readonly url: string;
      readonly mediaType: string;
      readonly filename?: string | undefined;
    }
  | { readonly type: "reasoning-file"; readonly url: string; readonly mediaType: string }
  | { readonly type: "steering-message"; readonly id: string; readonly parts: UISteeringContent[] }
  | UIDataPart;

/** A text. `providerMetadata.pollux.citations` has the ranges that sources support, in every version. */
export interface UITextPart {
  readonly type: "text";
  readonly text: string;
  readonly state?: "streaming" | "done" | undefined;
  readonly citations?: UICitation[] | undefined;
  readonly providerMetadata?: ProviderMetadata | undefined;
}

/** A thought summary. */
export interface UIReasoningPart {
  readonly type: "reasoning";
  readonly id: string;
  readonly text: string;
  readonly state: "streaming" | "done";
}

/** A source; `providerMetadata.pollux` has its number and kind. */
export type UISourcePart =
  | {
      readonly type: "source-url";
      readonly sourceId: string;
      readonly url: string;
      readonly title?: string;
      readonly providerMetadata: ProviderMetadata;
    }
  | {
      readonly type: "source-document";
      readonly sourceId: string;
      readonly mediaType: string;
      readonly title: string;
      readonly providerMetadata: ProviderMetadata;
    };

/** A data part, by its name. */
export type UIDataPart = {
  [Name in keyof UIMessageData]: { readonly type: `data-${Name}`; readonly data: UIMessageData[Name] };
}[keyof UIMessageData];

/** A call of a function, or a tool of the service. */
export interface UIToolPart {
  readonly type: "dynamic-tool" | `tool-${string}`;
  /** Of a dynamic one. */
  readonly toolName?: string | undefined;
  readonly toolCallId: string;
  readonly state:
    | "input-streaming"
    | "input-available"
    | "approval-requested"
    | "approval-responded"
    | "output-available"
    | "output-error"
    | "output-denied";
  readonly input?: unknown;
  readonly rawInput?: unknown;
  readonly output?: unknown;
  readonly errorText?: string | undefined;
  readonly preliminary?: true | undefined;
  /** The service ran it. */
  readonly providerExecuted?: true | undefined;
  readonly approval?: { readonly id: string; readonly approved?: boolean | undefined } | undefined;
  /** `pollux.edited`: a person has replaced the arguments that the model gave. */
  readonly callProviderMetadata?: ProviderMetadata | undefined;
  /** Why a call failed: `pollux.failure`. Absent in version 5. */
  readonly resultProviderMetadata?: ProviderMetadata | undefined;
}
