// Entry "@pollux/core/conversation": a session as a person sees it. Names only.
export { readConversation, watchConversation, type WatchableSession } from "./session-watch.ts";
export { applyUpdate } from "./updates.ts";
export { explainUntrusted } from "./explain-untrusted.ts";
export {
  type CodePart,
  type CompactionPart,
  type Conversation,
  type ConversationChange,
  type ConversationPosition,
  type ConversationState,
  type ConversationUpdate,
  type InterruptionPart,
  type LivePosition,
  type MediaPart,
  type Message,
  type MessageError,
  type MessagePart,
  type MessageSource,
  type MessageState,
  type PartCitation,
  type PendingQuestionView,
  type QueuedMessage,
  type SaidPart,
  type ServerToolPart,
  type SteeringPart,
  type HandoffPart,
  type TurnPart,
  type TextPart,
  type ThoughtPart,
  type ToolCallError,
  type ToolCallPart,
  type ToolCallState,
  type UnknownPart,
} from "./conversation.ts";
export { buildConversation } from "./fold/log-fold.ts";
export { conversationUpdates, type ConversationUpdatesOptions } from "./fold/event-fold.ts";
export { resolveCitations } from "../grounding/citations.ts";
export { collectSources, type CollectedSources, isWebUrl } from "../grounding/sources.ts";
