export { BadRequestError } from "./chat-protocol.ts";
export type {
  ChatAnswer,
  ChatMessage,
  ChatProtocol,
  ChatRequest,
  ChatRevision,
  EncoderOptions,
  MessageEncoder,
  RetryWait,
} from "./chat-protocol.ts";

export type { IsAnswerable } from "./answerable.ts";
export type { DataPart } from "./data-part.ts";

// for pages
export { stopChat, type StopChatOptions } from "./stop-chat.ts";

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
