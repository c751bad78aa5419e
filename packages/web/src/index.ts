export type { MessageEncoder } from "./message-encoder.ts";

// the AI SDK
export { AiSdkEncoder, type AiSdkEncoderOptions, type AiSdkOptions } from "./ai-sdk/encode-message.ts";
export type { AiSdkVersion, UIMessageChunk } from "./ai-sdk/chunks.ts";
export { toUIMessages } from "./ai-sdk/ui-messages.ts";
export { withoutDiscards } from "./ai-sdk/without-discards.ts";
