import type { PendingQuestion } from "@pollux/core";
import type { Message, ToolCallPart } from "@pollux/core/conversation";

/** A message as clients of AG-UI have it, of the kinds that we make. */
export type AgUiMessage =
  | AgUiUserMessage
  | AgUiAssistantMessage
  | AgUiToolMessage
  | AgUiReasoningMessage
  | AgUiActivityMessage;

interface AgUiMessageBase {
  readonly id: string;
  readonly metadata?: AgUiMetadata | undefined;
}

/** By owner; our members are under `pollux`. */
export interface AgUiMetadata {
  readonly [name: string]: unknown;
}

/** What the user said. */
export interface AgUiUserMessage extends AgUiMessageBase {
  readonly role: "user";
  readonly content: string | readonly AgUiContentPart[];
}

/**
 * The model's text of one turn, and its calls. `metadata.pollux` has `untrusted` once the model has read untrusted
 * content, and `private` once it has read private data.
 */
export interface AgUiAssistantMessage extends AgUiMessageBase {
  readonly role: "assistant";
  readonly content?: string | undefined;
  readonly toolCalls?: readonly AgUiToolCall[] | undefined;
}

/** A call. */
export interface AgUiToolCall {
  readonly id: string;
  readonly type: "function";
  /** `arguments` is JSON. */
  readonly function: { readonly name: string; readonly arguments: string };
}

/** The result of a call: JSON, or a text. */
export interface AgUiToolMessage extends AgUiMessageBase {
  readonly role: "tool";
  readonly toolCallId: string;
  readonly content: string;
}

/** A thought summary. */
export interface AgUiReasoningMessage extends AgUiMessageBase {
  readonly role: "reasoning";
  readonly content: string;
}

/** Content that AG-UI has no message for. Clients show the types they know. */
export type AgUiActivityMessage = AgUiMessageBase & { readonly role: "activity" } & AgUiActivity;

/** The activities, by type. */
export type AgUiActivity = {
  [Type in keyof AgUiActivities]: { readonly activityType: Type; readonly content: AgUiActivities[Type] };
}[keyof AgUiActivities];

/** The content of each type of activity. */
export interface AgUiActivities {
  /**
   * An image, a sound, a video or a document of the model's: base64 data, or a link to where it is. Don't load it
   * automatically: requesting it may leak what the model has read.
   */
  readonly "pollux.media": {
    readonly mimeType?: string;
    readonly data?: string;
    readonly link?: string;
    readonly name?: string;
  };
  /** Code that the model ran in the service's sandbox; `outcome` once it has run. */
  readonly "pollux.code": {
    readonly language?: string;
    readonly code: string;
    readonly outcome?: string;
    readonly output?: string;
  };
  /** A tool that the service ran by itself, such as a search. */
  readonly "pollux.server-tool": { readonly name: string; readonly args: object; readonly state: "running" | "done" };
  /** What the answer is based on. Comes when the answer is complete. */
  readonly "pollux.sources": {
    readonly sources: readonly {
      number: number;
      kind: string;
      url?: string;
      title?: string;
      pageNumber?: number;
      mediaId?: string;
    }[];
    /** UTF-16 ranges of the content of a message, and the numbers of the sources that support them. */
    readonly citations: readonly { messageId: string; start: number; end: number; sources: readonly number[] }[];
    /** HTML that the terms of use of Google Search require next to the answer. */
    readonly searchEntryPoints: readonly string[];
  };
  /** Another agent answers from here on. */
  readonly "pollux.handoff": { readonly agent: string };
  /** From here on, the model reads a summary of the earlier messages. */
  readonly "pollux.compaction": { readonly turn: number };
  /** The answer before it was never finished. */
  readonly "pollux.interruption": { readonly turn: number };
  /** Calls that wait for somebody other than the user, by the `approvedBy` of their tools, or for a job (`question`). */
  readonly "pollux.waiting": {
    readonly calls: readonly {
      readonly toolCallId: string;
      readonly toolName: string;
      readonly question: PendingQuestion;
      /** Names the question in a withdrawal. */
      readonly token: string;
      readonly approvedBy?: string;
      /** Why it is asked, if the reason is what the model has read. Safe to show to anyone. */
      readonly because?: string;
      /** When the job began, when it times out, and when `progress` was reported, in milliseconds since the epoch. */
      readonly job?: ToolCallPart["job"];
      /** The job's last report. JSON. */
      readonly progress?: unknown;
    }[];
  };
  /** The answer ended without being complete. */
  readonly "pollux.ending": {
    readonly state: "stopped" | "failed" | "interrupted";
    readonly stopReason?: string;
    readonly limit?: string;
    /** Whose limit it is: the conversation's, or the user's across all conversations. Absent: the run's own. */
    readonly limitScope?: "session" | "owner";
    /** The guardrail that ended it. */
    readonly guardrail?: NonNullable<Message["guardrail"]>;
    /** Safe to show to anyone. */
    readonly message: string;
  };
  /** A part that this release does not know: the names of its members. */
  readonly "pollux.unknown": { readonly keys: readonly string[] };
}

/** All of ours: one that a snapshot leaves out is taken back, while activities of others stay. */
export const ACTIVITY_TYPES: readonly (keyof AgUiActivities)[] = [
  "pollux.media",
  "pollux.code",
  "pollux.server-tool",
  "pollux.sources",
  "pollux.handoff",
  "pollux.compaction",
  "pollux.interruption",
  "pollux.waiting",
  "pollux.ending",
  "pollux.unknown",
];

/** A piece of a user message. */
export type AgUiContentPart =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "image" | "audio" | "video" | "document";
      readonly source:
        | { readonly type: "data"; readonly value: string; readonly mimeType: string }
        | { readonly type: "url"; readonly value: string; readonly mimeType?: string };
      readonly metadata?: { readonly filename?: string };
    };
