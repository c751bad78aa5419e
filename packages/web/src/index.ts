export type { MessageEncoder } from "./message-encoder.ts";
export { BadRequestError } from "./chat-protocol.ts";
export type {
  ChatAnswer,
  ChatMessage,
  ChatProtocol,
  ChatRequest,
  ChatRevision,
  EncoderOptions,
} from "./chat-protocol.ts";

export type { IsAnswerable } from "./answerable.ts";
export type { DataPart } from "./data-part.ts";

// for pages
export { stopChat, type StopChatOptions } from "./stop-chat.ts";

// the AI SDK
export { aiSdk } from "./ai-sdk/ai-sdk.ts";
export { AiSdkEncoder, type AiSdkEncoderOptions, type AiSdkOptions } from "./ai-sdk/encode-message.ts";
export type { AiSdkVersion, UICitation, UIFinishReason, UIMessageChunk, UISteeringContent } from "./ai-sdk/chunks.ts";
export type { InferUIMessage, InferUITools } from "./ai-sdk/infer.ts";
export { fromUIMessages, type ReadRequestOptions } from "./ai-sdk/read-request.ts";
export type {
  UIDataPart,
  UIMessage,
  UIMessageData,
  UIMessageMetadata,
  UIMessagePart,
  UIPendingCall,
  UIReasoningPart,
  UISourcePart,
  UITextPart,
  UIToolPart,
} from "./ai-sdk/ui-message.ts";
export {
  toUIMessageStream,
  type UIMessageStreamOptions,
  uiMessageStreamResponse,
  type UIMessageStreamResponseOptions,
} from "./ai-sdk/ui-message-stream.ts";
export { toUIMessages } from "./ai-sdk/ui-messages.ts";
export { withoutDiscards } from "./ai-sdk/without-discards.ts";

// AG-UI
export { agUi } from "./ag-ui/ag-ui.ts";
export {
  agUiResponse,
  type AgUiEventsOptions,
  type AgUiResponseOptions,
  type AgUiSnapshotOptions,
  toAgUiEvents,
  toAgUiSnapshot,
} from "./ag-ui/ag-ui-events.ts";
export { toAgUiMessages } from "./ag-ui/ag-ui-messages.ts";
export { AgUiEncoder, type AgUiEncoderOptions, type AgUiOptions } from "./ag-ui/encode-message.ts";
export type {
  AgUiEvent,
  AgUiInterrupt,
  AgUiOutcome,
  AgUiPatch,
  AgUiRunEnd,
  AgUiTokenUsage,
  AgUiToolProgress,
} from "./ag-ui/events.ts";
export type {
  AgUiActivities,
  AgUiActivity,
  AgUiActivityMessage,
  AgUiAssistantMessage,
  AgUiContentPart,
  AgUiMessage,
  AgUiMetadata,
  AgUiReasoningMessage,
  AgUiToolCall,
  AgUiToolMessage,
  AgUiUserMessage,
} from "./ag-ui/messages.ts";
export { type AgUiInputOptions, fromAgUiInput } from "./ag-ui/read-input.ts";
export type { QuestionTools } from "./ag-ui/run-end.ts";
export { type AgUiState, type StateOf, todoState } from "./ag-ui/shared-state.ts";

// the handler
export { chatHandler, type ChatHandler } from "./handler/chat-handler.ts";
export type { AuthorizeAnswer, PageAnswer } from "./handler/answer-rights.ts";
export type { Authorize, Visitor } from "./handler/authorize.ts";
export {
  type Operator,
  operatorHandler,
  type OperatorHandler,
  type OperatorHandlerOptions,
} from "./handler/operator-handler.ts";
export type { EdgeOptions } from "./handler/edge.ts";
export type { ChatHandlerOptions, Platform, ServingOptions } from "./handler/options.ts";
export type { Drained, DrainOptions } from "./handler/draining.ts";
export type { BodySchema, PerRun, RunRequest, RunSettings } from "./handler/per-run.ts";
export type { SpendingLimit } from "./handler/spending.ts";
