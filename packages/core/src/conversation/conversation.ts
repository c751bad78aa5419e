import type { Source } from "../grounding/sources.ts";
import type { Cost, Usage } from "../model/usage.ts";
import type { EndReason } from "../session/store/store.ts";
import type { GuardrailStop } from "../loop/guardrails.ts";
import type { LimitReached, Limits } from "../loop/limits.ts";
import type { StartedJob } from "../tool/job.ts";
import type { PendingCall, PendingQuestion, ToolErrorKind } from "../tool/tool.ts";
import type { JsonObject } from "../wire/types/content.ts";

/** A conversation as a person sees it. JSON; contains nothing that a browser must not have. */
export interface Conversation {
  /** Id of the session; empty for a conversation without one. */
  readonly id: string;
  readonly title?: string | undefined;
  /** Oldest first. */
  readonly messages: readonly Message[];
  /** Messages to the session that no run has read yet. */
  readonly queued: readonly QueuedMessage[];
  readonly state: ConversationState;
  /** Calls that wait for an answer, in order. They are also among the parts of the last message. */
  readonly pending: readonly PendingQuestionView[];
  /** Of all messages, including messages that were taken back. */
  readonly usage: Usage;
  /** Of all messages, including messages that were taken back, in the unit of the price table; 0 without one. */
  readonly cost: number;
  /** The part of `usage` and `cost` that messages that were taken back have used. Absent when none were. */
  readonly takenBack?: Pick<Conversation, "usage" | "cost"> | undefined;
  readonly position: ConversationPosition;
}

/**
 * - `idle`: nothing is left to do.
 * - `running`: a run is in progress.
 * - `waiting`: calls wait for an answer.
 * - `stopped`: the last run failed, was aborted or reached a limit, and can be resumed.
 * - `cut-off`: the process of the last run has died; it can be resumed.
 */
export type ConversationState = "idle" | "running" | "waiting" | "stopped" | "cut-off";

/** A call that waits for an answer. */
export interface PendingQuestionView extends Pick<PendingCall, "token" | "approvedBy" | "editable" | "because"> {
  /** Id of the call's part. */
  readonly callId: string;
  readonly question: PendingQuestion;
  readonly messageId: string;
  readonly name: string;
  readonly args: JsonObject;
}

/** How much of a session a conversation includes. It orders updates: an update with nothing later changes nothing. */
export interface ConversationPosition {
  /** Entries of the session's log. */
  readonly log: number;
  /** The place in what the log doesn't have yet. */
  readonly live: LivePosition;
}

/**
 * A place in what the log doesn't have yet. A later attempt is later; within an attempt, more of `said` or `seen` is later.
 *
 * - `entries`: how many entries runs have written to the log.
 * - `attempt`: how often the unfinished answer has begun; 0 before it has.
 * - `said`: how much of its text has arrived.
 * - `seen`: how much else was seen, only in the process of the run: calls being written, calls that began, their progress.
 */
export type LivePosition = readonly [entries: number, attempt: number, said: number, seen: number];

/** A message to the session that no run has read yet. Once a run reads it, it is a {@link SteeringPart}. */
export interface QueuedMessage {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly parts: readonly SaidPart[];
}

/** A message of the user, or everything that one run of the agent did. */
export interface Message extends Pick<Cost, "cost" | "pricesAsOf"> {
  /** The same whether it was read from the log, from a draft or from events. */
  readonly id: string;
  readonly role: "user" | "model";
  /** Absent for a message that came with a history. */
  readonly runId?: string | undefined;
  /** Name of the agent that the message went to; a `handoff` part names one that took over. Only on the model's messages. */
  readonly agent?: string | undefined;
  /** When the run began, in milliseconds since the epoch. Unknown while only its events are known. */
  readonly at?: number | undefined;
  readonly state: MessageState;
  /** The answer is held until guardrails have checked it. Only while its run is in progress, and where its events are read. */
  readonly checking?: true | undefined;
  /** How the run ended. */
  readonly stopReason?: EndReason | undefined;
  /** The limit that ended it. */
  readonly limit?: keyof Limits | undefined;
  /** Whose limit it is: the session's, or its owner's in all sessions. Absent: the run's own. */
  readonly limitScope?: LimitReached["scope"];
  /** The guardrail that ended it, with what its author lets people read about it; never the reason. */
  readonly guardrail?: Pick<GuardrailStop, "name" | "side" | "message"> | undefined;
  readonly error?: MessageError | undefined;
  /** Known when the run has ended. */
  readonly usage?: Usage | undefined;
  readonly parts: readonly MessagePart[];
  /** What the answers are based on; citations refer to them by number. */
  readonly sources: readonly MessageSource[];
  /** HTML that the terms of use of Google Search require next to the answer. */
  readonly searchEntryPoints: readonly string[];
  /**
   * By the end of the message, the model had read untrusted content, in it or before: its links and images may be an attacker's. Only on
   * the model's messages, like `private`.
   */
  readonly untrusted?: true | undefined;
  /** By the end of the message, the model had read private data: a URL in it may carry that data to the server that it points to. */
  readonly private?: true | undefined;
}

/**
 * - `streaming`: its run is in progress.
 * - `waiting`: its run ended with calls that wait for an answer.
 * - `complete`: it is a user's message, or its run finished or met a stop rule.
 * - `stopped`: its run was aborted, reached a limit, was stopped by a guardrail, or never got the answers that it waited for.
 * - `failed`: its run failed, or ended without a usable answer; see `stopReason` and `error`.
 * - `interrupted`: the process of its run has died.
 */
export type MessageState = "streaming" | "waiting" | "complete" | "stopped" | "failed" | "interrupted";

/** Why a run failed. Anybody may read the text; the error's own message is not part of it. */
export interface MessageError {
  readonly name: string;
  readonly code?: string | undefined;
  readonly message: string;
}

/** Something that an answer is based on. */
export type MessageSource = Omit<Source, "chunk">;

/** A piece of a message. Its id is unique in the message and made from its kind and place. */
export type MessagePart =
  | TurnPart
  | TextPart
  | ThoughtPart
  | ToolCallPart
  | MediaPart
  | CodePart
  | ServerToolPart
  | SteeringPart
  | HandoffPart
  | CompactionPart
  | InterruptionPart
  | UnknownPart;

/** A part of a person's message. */
export type SaidPart = TextPart | MediaPart | UnknownPart;

interface PartBase {
  readonly id: string;
}

/** The border before each turn that has something to show. */
export interface TurnPart extends PartBase {
  readonly type: "turn";
  readonly turn: number;
}

/** Never empty. */
export interface TextPart extends PartBase {
  readonly type: "text";
  readonly text: string;
  /** Ranges that sources support, in order. */
  readonly citations?: readonly PartCitation[] | undefined;
  /** More of it may come. */
  readonly streaming?: true | undefined;
}

/** A range of a text. */
export interface PartCitation {
  /** First UTF-16 index in the part's text. */
  readonly start: number;
  /** UTF-16 index after the last. */
  readonly end: number;
  /** {@link MessageSource.number}s, ascending. */
  readonly sources: readonly number[];
}

/** A summary of what the model thought. Never empty. */
export interface ThoughtPart extends PartBase {
  readonly type: "thought";
  readonly text: string;
  /** More of it may come. */
  readonly streaming?: true | undefined;
}

/** A call of a function. Its id is the call's, which is the key of an approval or an outcome. */
export interface ToolCallPart extends PartBase {
  readonly type: "tool-call";
  readonly name: string;
  readonly args: JsonObject;
  /** A person changed `args` when approving the call. */
  readonly edited?: true | undefined;
  readonly state: ToolCallState;
  /**
   * While it waits for an answer: the key of the answer, who may give it, which arguments an approval may change, and, if untrusted content
   * is why it waits, the reason; `explainUntrusted()` puts that in a sentence.
   */
  readonly asks?: Pick<PendingCall, "token" | "approvedBy" | "editable" | "because"> | undefined;
  /** The job that it waits for: when it began, when it times out, and when its `progress` was reported, in milliseconds since the epoch. */
  readonly job?: (Pick<StartedJob, "since" | "until"> & { readonly reportedAt?: number | undefined }) | undefined;
  /**
   * The last progress that its job reported, or its tool while it runs in this process. For an agent in the call: the path of the event, its
   * type, its turn and its text.
   */
  readonly progress?: unknown;
  /** The result that the model reads. */
  readonly output?: unknown;
  readonly failure?: ToolCallError | undefined;
}

/**
 * - `writing`: the model is writing it; its answer is not complete yet.
 * - `called`: complete. It has not begun, or this process does not know that it has.
 * - `pending-approval`, `pending-output`, `pending-outcome`: it waits for an answer: may it run, what is its output, did it take effect?
 * - `pending-job`: it has started a job, which is in progress elsewhere.
 * - `running`: it has begun.
 * - `done`, `failed`, `denied`: it has ended; with the failure `unknown-outcome` it is unknown whether it took effect.
 * - `not-run`: it was refused or withdrawn, or the conversation continued without it.
 * - `cancelled`: its run ended before it did, or a person cancelled it.
 */
export type ToolCallState =
  | "writing"
  | "called"
  | "pending-approval"
  | "pending-output"
  | "pending-outcome"
  | "pending-job"
  | "running"
  | "done"
  | "failed"
  | "denied"
  | "not-run"
  | "cancelled";

/** Why a call failed. Anybody may read the text; what the model reads is not part of it. */
export interface ToolCallError {
  readonly kind: ToolErrorKind;
  readonly message: string;
}

/** An image, a sound, a video or a document: base64 data, or where it is. */
export interface MediaPart extends PartBase {
  readonly type: "media";
  readonly mimeType?: string | undefined;
  /** Base64. */
  readonly data?: string | undefined;
  readonly uri?: string | undefined;
  readonly name?: string | undefined;
  /** Made while the model thought, and not part of its answer. */
  readonly thought?: true | undefined;
}

/** Code that the model ran in the service's sandbox. */
export interface CodePart extends PartBase {
  readonly type: "code";
  readonly language?: string | undefined;
  readonly code: string;
  /** `OUTCOME_OK`, `OUTCOME_FAILED`, …; absent until it has run. */
  readonly outcome?: string | undefined;
  readonly output?: string | undefined;
}

/** A built-in tool that the service ran. */
export interface ServerToolPart extends PartBase {
  readonly type: "server-tool";
  readonly name: string;
  readonly args: JsonObject;
  readonly state: "running" | "done";
}

/** A message that the user sent during a run, at the place where the model read it. */
export interface SteeringPart extends PartBase {
  readonly type: "steering";
  readonly parts: readonly SaidPart[];
}

/** Another agent answers from here on. */
export interface HandoffPart extends PartBase {
  readonly type: "handoff";
  /** Name of that agent. */
  readonly agent: string;
}

/** From here on the model reads a summary of the conversation before. */
export interface CompactionPart extends PartBase {
  readonly type: "compaction";
}

/** The answer before it was never finished. */
export interface InterruptionPart extends PartBase {
  readonly type: "interruption";
  readonly turn: number;
  /** The model does not see that answer: the next message left it out. */
  readonly dropped?: true | undefined;
}

/** A part that this release does not know: the names of its members. */
export interface UnknownPart extends PartBase {
  readonly type: "unknown";
  readonly keys: readonly string[];
}

/** A conversation, or what has changed in it. Give each to `applyUpdate`, in order. */
export type ConversationUpdate =
  | { readonly type: "snapshot"; readonly conversation: Conversation }
  | {
      readonly type: "changes";
      /** The position after it. */
      readonly at: ConversationPosition;
      /** Apply all of them: in between, the conversation is in no state that ever existed. */
      readonly changes: readonly ConversationChange[];
    };

/** One change. Members that are set replace members of the same name; `unset` names the removed ones. */
export type ConversationChange =
  | { readonly type: "title"; readonly title?: string | undefined }
  | { readonly type: "queue"; readonly message: QueuedMessage }
  | { readonly type: "unqueue"; readonly ids: readonly string[] }
  /** A new message, at the end. */
  | { readonly type: "message"; readonly message: Message }
  /** The conversation goes back to before the first of these messages, which are its last ones. Nothing before them can be resumed. */
  | { readonly type: "take-back"; readonly ids: readonly string[] }
  | {
      readonly type: "message-fields";
      readonly messageId: string;
      readonly set: Partial<Omit<Message, "id" | "role" | "parts" | "sources">>;
      readonly unset?: readonly string[] | undefined;
    }
  /** Sources from an index on. */
  | {
      readonly type: "sources";
      readonly messageId: string;
      readonly from: number;
      readonly sources: readonly MessageSource[];
    }
  /** A new part: after the named one, or at the beginning. */
  | {
      readonly type: "part";
      readonly messageId: string;
      readonly part: MessagePart;
      readonly after?: string | undefined;
    }
  /** More of a text or thought, from a UTF-16 index on. */
  | {
      readonly type: "text";
      readonly messageId: string;
      readonly partId: string;
      readonly offset: number;
      readonly delta: string;
    }
  | {
      readonly type: "part-fields";
      readonly messageId: string;
      readonly partId: string;
      readonly set: JsonObject;
      readonly unset?: readonly string[] | undefined;
    }
  /** Parts that are void: of an answer that is requested again, or of one that never became complete. */
  | { readonly type: "remove"; readonly messageId: string; readonly partIds: readonly string[] };
