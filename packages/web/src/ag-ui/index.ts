// Entry "@pollux/web/ag-ui": chats in the AG-UI protocol. Names only.
export { agUi } from "./ag-ui.ts";
export {
  agUiResponse,
  type AgUiEventsOptions,
  type AgUiResponseOptions,
  type AgUiSnapshotOptions,
  toAgUiEvents,
  toAgUiSnapshot,
} from "./ag-ui-events.ts";
export { toAgUiMessages } from "./message-entries.ts";
export { AgUiEncoder, type AgUiEncoderOptions, type AgUiOptions } from "./encode-message.ts";
export type {
  AgUiEvent,
  AgUiInterrupt,
  AgUiOutcome,
  AgUiPatch,
  AgUiRunEnd,
  AgUiTokenUsage,
  AgUiToolProgress,
} from "./events.ts";
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
} from "./messages.ts";
export { type AgUiInputOptions, fromAgUiInput } from "./read-input.ts";
export type { QuestionTools } from "./run-end.ts";
export { type AgUiState, type StateOf, todoState } from "./shared-state.ts";
