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
  /** Said to the session, and not heard by a run yet. */
  readonly queued: readonly QueuedMessage[];
  readonly state: ConversationState;
  /** Calls that wait for an answer, in order. They are also among the parts of the last message. */
  readonly pending: readonly PendingQuestionView[];
  /** Of all messages, those that were taken back included. */
  readonly usage: Usage;
  /** Of all messages, those that were taken back included, in the unit of the price table; 0 without one. */
  readonly cost: number;
  /** What messages that were taken back have used, as part of `usage` and `cost`. Absent when none were. */
  readonly takenBack?: Pick<Conversation, "usage" | "cost"> | undefined;
  readonly position: ConversationPosition;
}

/**
 * - `idle`: nothing is left to do.
 * - `running`: a run is going.
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

/** How far a conversation is known. It orders updates: one that has nothing later than what is known changes nothing. */
export interface ConversationPosition {
  /** Entries of the session's log. */
  readonly log: number;
  /** In what the log doesn't have yet. */
  readonly live: LivePosition;
}

/**
 * A place in what the log doesn't have yet. The later attempt is later; within one, more of either of the last two is.
 *
 * - `entries`: those that runs have written to the log.
 * - `attempt`: how often the answer under way began; 0 before it has.
 * - `said`: how much of it was said.
 * - `seen`: what else was seen, and only in the process of the run: calls being written, calls that began, their progress.
 */
export type LivePosition = readonly [entries: number, attempt: number, said: number, seen: number];

/** What was said to the session, until a run hears it: then it is a {@link SteeringPart}. */
export interface QueuedMessage {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly parts: readonly SaidPart[];
}

/** A message of the user, or all that one run of the agent did. */
export interface Message extends Pick<Cost, "cost" | "pricesAsOf"> {
  /** The same from the log, during the run and live. */
  readonly id: string;
  readonly role: "user" | "model";
  /** Absent for a message that came with a history. */
  readonly runId?: string | undefined;
  /** Name of the agent that the message went to; a `handoff` part has that of one that took over. Only of the model's messages. */
  readonly agent?: string | undefined;
  /** When the run began, in milliseconds since the epoch. Unknown while only its events are. */
  readonly at?: number | undefined;
  readonly state: MessageState;
  /** What the model says is held until guardrails have checked it. Only while its run is going, and where its events are read. */
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
   * By the end of it the model had read what anybody may have written, in it or before: links and images in it may be what somebody else
   * wants. Only of the model's messages, as the next.
   */
  readonly untrusted?: true | undefined;
  /** By the end of it the model had read what not everybody may: an address in it may tell that to whoever is asked for it. */
  readonly private?: true | undefined;
}

/**
 * - `streaming`: its run is going.
 * - `waiting`: its run ended with calls that wait for an answer.
 * - `complete`: all was said.
 * - `stopped`: its run was aborted, reached a limit or was stopped by a guardrail, or was left without the answers that it waited for.
 * - `failed`: its run failed, or ended without a usable answer; see `stopReason` and `error`.
 * - `interrupted`: the process of its run has died.
 */
export type MessageState = "streaming" | "waiting" | "complete" | "stopped" | "failed" | "interrupted";

/** Why a run failed. The text is fit for anybody; the error's own is not part of it. */
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

/** What a person can say. */
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
   * While it waits for an answer: the key of the answer, who may give it, which arguments an approval may change, and why it is asked, if
   * that is what the model has read; `explainUntrusted()` says it in a sentence.
   */
  readonly asks?: Pick<PendingCall, "token" | "approvedBy" | "editable" | "because"> | undefined;
  /** The job that it waits for: since when and until when at most, and when its `progress` was reported, in milliseconds since the epoch. */
  readonly job?: (Pick<StartedJob, "since" | "until"> & { readonly reportedAt?: number | undefined }) | undefined;
  /**
   * The last that its job reported, or the tool while it runs in this process. Of an agent in the call: the path of the event, its type and turn,
   * and what is said.
   */
  readonly progress?: unknown;
  /** What the model was told. */
  readonly output?: unknown;
  readonly failure?: ToolCallError | undefined;
}

/**
 * - `writing`: the model is making it; its answer is not whole yet.
 * - `called`: whole. It has not begun, or it is not known here that it has.
 * - `pending-approval`, `pending-output`, `pending-outcome`: it waits for an answer: may it run, what is its output, did it take effect?
 * - `pending-job`: it has started a job, which is going on elsewhere.
 * - `running`: it has begun.
 * - `done`, `failed`, `denied`: it has ended; with the failure `unknown-outcome` nobody knows whether it took effect.
 * - `not-run`: it was refused or withdrawn, or the conversation went on without it.
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

/** Why a call failed. The text is fit for anybody; what the model was told is not part of it. */
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

/** A tool that the service ran by itself. */
export interface ServerToolPart extends PartBase {
  readonly type: "server-tool";
  readonly name: string;
  readonly args: JsonObject;
  readonly state: "running" | "done";
}

/** What the user said in the middle of a run, where the model heard it. */
export interface SteeringPart extends PartBase {
  readonly type: "steering";
  readonly parts: readonly SaidPart[];
}

/** Another agent answers from here on. */
export interface HandoffPart extends PartBase {
  readonly type: "handoff";
  /** Its name. */
  readonly agent: string;
}

/** From here on the model reads a summary of what was said before. */
export interface CompactionPart extends PartBase {
  readonly type: "compaction";
}

/** The answer before it was never finished. */
export interface InterruptionPart extends PartBase {
  readonly type: "interruption";
  readonly turn: number;
  /** The model does not know of it: the next message left it out. */
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
      /** Belong together: in between, the conversation is not one that ever was. */
      readonly changes: readonly ConversationChange[];
    };

/** One change. Members that are set replace those of the same name; `unset` names those that are gone. */
export type ConversationChange =
  | { readonly type: "title"; readonly title?: string | undefined }
  | { readonly type: "queue"; readonly message: QueuedMessage }
  | { readonly type: "unqueue"; readonly ids: readonly string[] }
  /** A new message, at the end. */
  | { readonly type: "message"; readonly message: Message }
  /** The conversation goes back to before the first of these messages, the last ones it has. Nothing before them can be resumed. */
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
  /** A new part: behind the named one, or at the beginning. */
  | {
      readonly type: "part";
      readonly messageId: string;
      readonly part: MessagePart;
      readonly after?: string | undefined;
    }
  /** More of a text or thought, from a UTF-16 index of it on. */
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
  /** Parts that are void: an answer that is made anew, or one that never was. */
  | { readonly type: "remove"; readonly messageId: string; readonly partIds: readonly string[] };
