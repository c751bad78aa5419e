// Entry "@pollux/web/ai-sdk": chats in the protocol of the AI SDK UI. Names only.
export { aiSdk } from "./ai-sdk.ts";
export { AiSdkEncoder, type AiSdkEncoderOptions, type AiSdkOptions } from "./encode-message.ts";
export type { AiSdkVersion, UICitation, UIFinishReason, UIMessageChunk, UISteeringContent } from "./chunks.ts";
export type { InferUIMessage, InferUITools } from "./infer.ts";
export { fromUIMessages, type ReadRequestOptions } from "./read-request.ts";
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
} from "./ui-message.ts";
export {
  toUIMessageStream,
  type UIMessageStreamOptions,
  uiMessageStreamResponse,
  type UIMessageStreamResponseOptions,
} from "./ui-message-stream.ts";
export { toUIMessages } from "./ui-messages.ts";
export { withoutDiscards } from "./without-discards.ts";
