// agent
export { Agent } from "./agent/agent.ts";
export type { CreateCacheOptions } from "./agent/agent-cache.ts";
export type {
  AgentOptions,
  CountTokensOptions,
  GivenContext,
  OptionsArgument,
  OutputOf,
  OutputSchema,
  RunOptions,
  SharedOptions,
  StepsFactory,
  ToolsFunction,
  WrittenOf,
} from "./agent/options.ts";
export type { AgentProgress, AgentToolInput, AgentToolOptions } from "./agent/agent-tool.ts";
export { Chat, type ChatOptions } from "./agent/chat.ts";
export { finished } from "./agent/output.ts";
export { Session } from "./agent/session.ts";
export type { SessionState } from "./agent/session-state.ts";
export type {
  Answers,
  ContinueOptions,
  RegenerateOptions,
  ResumeOptions,
  RewindOptions,
  SendOptions,
  SessionOptions,
} from "./agent/session-options.ts";
export type { InputPart, RunInput } from "./agent/run-input.ts";

// conversation
export { readConversation, watchConversation, type WatchableSession } from "./conversation/watch.ts";
export { applyUpdate } from "./conversation/apply-update.ts";
export type {
  CodePart,
  CompactionPart,
  Conversation,
  ConversationChange,
  ConversationPosition,
  ConversationState,
  ConversationUpdate,
  InterruptionPart,
  LivePosition,
  MediaPart,
  Message,
  MessageError,
  MessagePart,
  MessageSource,
  MessageState,
  PartCitation,
  PendingQuestionView,
  QueuedMessage,
  SaidPart,
  ServerToolPart,
  SteeringPart,
  StepPart,
  TextPart,
  ThoughtPart,
  ToolCallFailure,
  ToolCallPart,
  ToolCallState,
  UnknownPart,
} from "./conversation/conversation.ts";
export {
  conversationOf,
  conversationUpdates,
  type ConversationUpdatesOptions,
} from "./conversation/conversation-of.ts";

// session
export type { Json } from "./internal/json.ts";
export type { SessionEntry } from "./session/entries.ts";
export type { LogLine, SessionProblem } from "./doctor/read-log.ts";
export { checkSession, repairSession, type SessionCheck, type SessionRepair } from "./doctor/repair-session.ts";
export type { ShowOptions as ShowSessionOptions } from "./doctor/page.ts";
export { sessionHistory, showSession } from "./doctor/show-session.ts";
export { MemoryStore } from "./session/memory-store.ts";
export type { WhileRunning } from "./session/next-run.ts";
export type { Draft, Lease, SessionRecords } from "./session/records.ts";
export type { SessionAbout } from "./session/session-runs.ts";
export type {
  AppendOptions,
  ListOptions,
  ProcessKnowledge,
  SessionFilter,
  SessionInfo,
  SessionStore,
  SessionSummary,
} from "./session/store.ts";

// loop
export type { RunEnd, RunEvent } from "./loop/events.ts";
export type { RunIdentity } from "./loop/run-context.ts";
export type { CallDecision, CallInfo, Hooks, ToolChoice } from "./loop/loop-input.ts";
export type { RunContext } from "./loop/run-context.ts";
export type {
  Guardrails,
  GuardrailStop,
  GuardrailStopVerdict,
  InputGuardrail,
  InputToCheck,
  InputVerdict,
  OutputGuardrail,
  OutputToCheck,
  OutputVerdict,
} from "./loop/guardrails.ts";
export type { CompactionOptions, CompactionPolicy, CompactionState } from "./loop/turn/compaction.ts";
export type { PrepareTurn, TurnChanges, TurnInfo } from "./loop/turn/prepare-turn.ts";
export { afterTurns, calledTool, type LimitReached, type Limits } from "./loop/limits.ts";
export type { RunProgress, StopRule } from "./loop/limits.ts";
export type {
  Observation,
  ObservationBase,
  ObservedExchange,
  Observer,
  RequestObservation,
  RunEndObservation,
  RunInfo,
  RunStartObservation,
  StepEndObservation,
  StepInfo,
  StepStartObservation,
} from "./loop/observer.ts";
export { observeAllRuns } from "./loop/observe-all-runs.ts";
export type { TurnProblem } from "./loop/turn/classify-answer.ts";
export type {
  BadCallRun,
  BlockedRun,
  EmptyRun,
  FinishedRun,
  GuardrailRun,
  InvalidOutputRun,
  LimitedRun,
  NeedsApprovalRun,
  NeedsOutcomeRun,
  RepeatedCallsRun,
  RunOutcome,
  RunResult,
  StoppedRun,
  StopReason,
  TruncatedRun,
  UnknownFinishRun,
} from "./loop/result.ts";
export { runSoFar, type RunSoFar } from "./loop/result.ts";
export type { CodeRun, OutputImage, RunOutputs, UrlRetrieval } from "./loop/result.ts";
export type { RunStream } from "./loop/run-stream.ts";
export type { OutputDelta, JsonPath, OutputChange } from "./loop/output/json-growth.ts";
export { outputElements, PartialOutput, partialOutputs } from "./loop/output/partial-output.ts";
export type { DeepPartial, ElementOf, ListKey, OutputElement, TypedEvents } from "./loop/output/partial-output.ts";

// grounding
export { renderMarkdown } from "./grounding/render-markdown.ts";
export { resolveCitations } from "./grounding/citations.ts";
export {
  type Citation,
  collectSources,
  type CollectedSources,
  type Grounding,
  type Source,
} from "./grounding/sources.ts";

// exchanges
export { type ExchangeKeeper, keepExchanges, type KeepExchangesOptions } from "./exchanges/keep-exchanges.ts";
export { exchangeEntry, type ForeignExchange } from "./exchanges/exchange-entry.ts";
export { type KeptExchange, KeptExchanges } from "./exchanges/kept-exchanges.ts";
export { readExchanges } from "./exchanges/read-exchanges.ts";

// tool
export type { Approval, ApprovalContext, Approve, ExternalOutcome, PendingCall, PendingQuestion } from "./tool/tool.ts";
export { codeExecution, computerUse, fileSearch, googleMaps, googleSearch, urlContext } from "./tool/built-in.ts";
export { callTool, type CallControl } from "./tool/call-tool.ts";
export type { ToolRetryNotice } from "./tool/retry-call.ts";
export type { ToolRetries, ToolRetryPolicy } from "./tool/retry-policy.ts";
export {
  defineTool,
  type SanitizedNames,
  sanitizeToolNames,
  type ToolInputSchema,
  type ToolOptions,
} from "./tool/define-tool.ts";
export { functionResponse, type FunctionResponseOptions, type ResponseParts } from "./tool/function-response.ts";
export { media, type MediaOptions, type MediaSource } from "./tool/media.ts";
export { explainSchema } from "./tool/schema/declare.ts";
export type {
  AnyTool,
  BuiltInName,
  BuiltInTool,
  ChildAgent,
  ChildRunResult,
  CompletedToolCall,
  NestedRun,
  ParentRun,
  ParentStep,
  RemainingLimits,
  SchemaChange,
  Tool,
  ToolContext,
  ToolEffects,
  ToolFailureKind,
  ToolFor,
  ToolOutcome,
  UnknownOutcome,
} from "./tool/tool.ts";

export type {
  CallsOf,
  EndingOutput,
  FailedToolCall,
  PendingToolCall,
  ShortenedToolCall,
  ToolCall,
} from "./tool/tool-call.ts";
export type { JsonOf } from "./tool/json-of.ts";

// model
export { inferCapabilities, type ModelCapabilities } from "./model/capabilities.ts";
export { gemini, type GeminiModel, type GeminiOptions } from "./model/gemini-model.ts";
export type { Media } from "./model/request/media-part.ts";
export type { ContentInput, PartInput } from "./model/history/content-input.ts";
export { importHistory, type ImportHistoryOptions } from "./model/history/import-history.ts";
export { type HistoryOrigin, prepareHistory, type PrepareHistoryOptions } from "./model/history/import-history.ts";
export type { Model, ModelNotice, ModelRequest, ModelResponse, RespondOptions, TokenCount } from "./model/model.ts";
export { type BodyReading, readResponseBody } from "./model/response/read-body.ts";
export { computeCost, NO_USAGE, type Prices, type PriceTable, type Usage } from "./model/usage.ts";
export {
  type Cache,
  type CacheHolds,
  type CacheLife,
  type CacheRef,
  Caches,
  caches,
} from "./model/resources/caches.ts";
export { type Files, files, type UploadData, uploadFile, type UploadFileOptions } from "./model/resources/files.ts";
export {
  cosineSimilarity,
  embed,
  embedMany,
  embeddedSoFar,
  type EmbeddedSoFar,
  type EmbeddingTaskType,
  type EmbedInput,
  type EmbedManyOptions,
  type EmbedManyResult,
  type EmbedOptions,
  type EmbedPiece,
  type EmbedResult,
  type TitledInput,
} from "./model/resources/embeddings.ts";
export { type ListedModel, listModels, type ListModelsOptions } from "./model/resources/models.ts";
export type { ModelSettings, Thinking } from "./model/settings.ts";

// wire: what an agent's user meets; the rest is behind "@pollux/core/wire"
export type { CallSignal } from "./wire/client-options.ts";
export { cometapi } from "./wire/endpoints/cometapi.ts";
export { endpoint, type Endpoint, type EndpointKind, google } from "./wire/endpoints/endpoint.ts";
export { vertex } from "./wire/endpoints/vertex.ts";
export type {
  Blob,
  Content,
  FunctionCall,
  FunctionResponse,
  JsonObject,
  Part,
  PartialArg,
  Role,
} from "./wire/types/content.ts";
export type { CitationSource, LogprobsResult, SafetyRating } from "./wire/types/generate-content.ts";
export type { GeminiFile } from "./wire/types/resources.ts";
export type { UploadProgress } from "./wire/upload.ts";
export type { WaitForFileOptions } from "./wire/files.ts";
export type { ImageConfig, SafetySetting, SpeechConfig } from "./wire/types/generate-content.ts";
export type { RequestBudget, RetryPolicy } from "./wire/http/retry.ts";
export type { HttpClientName } from "./wire/http/choose-transport.ts";
export type { ExchangeChunk, ExchangeTap, HttpExchange } from "./wire/http/exchange-tap.ts";
export type { FetchLike } from "./wire/http/transport.ts";
export type { Timeouts } from "./wire/http/timeouts.ts";
export { Traffic, type TrafficOptions, type TrafficState } from "./wire/limiter/traffic.ts";

// steps: for those who run the loop on a durable engine
export { RunSuspended } from "./durable/steps.ts";
export type { GuardrailAction, PrefixField, Steered } from "./durable/run-log.ts";
export type { Op, Outcome, Steering, Step, StepError, Steps } from "./durable/steps.ts";

// logging
export type { Logger, LogMethod } from "./logging/logger.ts";

// errors
export { AgentError, ConfigurationError, type ErrorCode } from "./errors/agent-error.ts";
export {
  ApiNetworkError,
  ApiShapeError,
  ApiStatusError,
  ApiTimeoutError,
  RequestLimitError,
  type PartialAnswer,
  type QuotaViolation,
  ResponseBlockedError,
  StreamIncompleteError,
  type TimeoutKind,
} from "./errors/api-errors.ts";
export { FileStateError, TrafficLimitError } from "./errors/api-errors.ts";
export {
  NothingToResumeError,
  RewindTargetError,
  RunIdTakenError,
  RunStoppedError,
  SessionLeaseLostError,
  SessionLimitError,
  SessionRunningError,
  UnexpectedAnswerError,
} from "./errors/session-errors.ts";
export {
  GuardrailError,
  InvalidApprovalError,
  OutputMissingError,
  RunAbandonedError,
  RunStepError,
} from "./errors/run-errors.ts";
export {
  LoopVersionError,
  ReplayDifferenceError,
  SessionConflictError,
  SessionDamagedError,
  SessionStoreError,
  SessionUnfinishedError,
} from "./errors/run-errors.ts";
export { ToolDefinitionError, ToolFailure, ToolRetry } from "./errors/run-errors.ts";
