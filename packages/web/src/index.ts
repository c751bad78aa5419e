export type { MessageEncoder } from "./message-encoder.ts";
export { BadRequestError } from "./chat-protocol.ts";
export type { ChatAnswer, ChatMessage, ChatProtocol, ChatRequest, EncoderOptions } from "./chat-protocol.ts";

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

// the handler
export { chatHandler, type ChatHandler } from "./handler/chat-handler.ts";
export type { Authorize, Visitor } from "./handler/authorize.ts";
export type { ChatHandlerOptions, Platform } from "./handler/options.ts";
export type { SpendingLimit } from "./handler/spending.ts";
