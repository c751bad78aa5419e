// a whole page
export { ChatApp, type ChatAppProps } from "./chat-app.tsx";

// its parts
export { ChatList, type ChatListProps } from "./list/chat-list.tsx";
export { Composer, type ComposerProps } from "./chat/composer.tsx";
export { Conversation, type ConversationProps, type Idea, type MessageActions } from "./chat/conversation.tsx";
export { LoadedConversation, type LoadedConversationProps } from "./chat/loaded-conversation.tsx";
export { ApprovalForm, type ApprovalFormProps } from "./message/approval-form.tsx";
export { Attachment, type AttachmentProps } from "./message/attachment.tsx";
export { MessageView, type MessageViewProps } from "./message/message-view.tsx";
export { SafeLink, type SafeLinkProps } from "./safe-link.tsx";
export { Sources, type SourcesProps } from "./message/sources.tsx";
export { ToolCard, type ToolCardProps } from "./message/tool-card.tsx";

// what they read
export { useAttachments, type Attachments } from "./chat/use-attachments.ts";
export { useChats, type Chats } from "./list/use-chats.ts";
export {
  useConversation,
  type ConversationOptions,
  type LiveConversation,
  type ServiceWait,
} from "./chat/use-conversation.ts";
export { ChatServer, ChatServerError } from "./chat-server.ts";
export type { ChatServerOptions, ChatState, ChatSummary, StoredChat } from "./chat-server.ts";
export { ChatProvider, sourceAnchor } from "./settings.tsx";
export type { ChatProviderProps, CitedRange, MarkdownProps, ToolViewProps, ToolViews } from "./settings.tsx";
export type { AnyCall, AnyChatMessage, AnyPart, CallAnswer, CallOf } from "./chat-message.ts";
export type { Draft, DraftFile, PendingCall, ToolNameOf } from "./chat-message.ts";
export { describeCall, describeChat, describeEnding, describeProblem, describeWait } from "./words.ts";
export type { CallStatus, ChatStanding } from "./words.ts";
