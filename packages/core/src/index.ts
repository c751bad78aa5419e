// agent
export { Agent } from "./agent/agent.ts";
export type { CreateCacheOptions } from "./agent/agent-head.ts";
export type {
  AgentOptions,
  ContinueOptions,
  CountTokensOptions,
  GivenContext,
  OptionsArgument,
  OutputOf,
  OutputSchema,
  RegenerateOptions,
  ResumeOptions,
  RewindOptions,
  RunOptions,
  SendOptions,
  SessionOptions,
  SharedOptions,
  ToolsFunction,
  WrittenOf,
} from "./agent/options.ts";
export type { AgentProgress, AgentToolInput, AgentToolOptions } from "./agent/agent-tool.ts";
export { handoff, type HandoffOptions, type HandoffTool } from "./agent/handoff.ts";
export { finished } from "./agent/output.ts";
export { pollJobs, type PollJobsOptions } from "./agent/poll-jobs.ts";
export { Session } from "./agent/session.ts";
export type { InputPart, RunInput } from "./agent/run-input.ts";

// session
export type { Json } from "./internal/json.ts";
export type { SessionEntry } from "./session/log/entries.ts";
export { answerCalls, eraseOwner, listPendingCalls } from "./session/store-operations.ts";
export type { ErasedData, EraseOptions } from "./session/runs/erase-owner.ts";
export { MemoryStore } from "./session/store/memory-store.ts";
export type { Answers, SessionAbout, SessionState, StepsFactory, WhileRunning } from "./session/runs/session-host.ts";
export type { WaitingCall, WaitingCalls, WaitingCallsOptions } from "./session/runs/session-answers.ts";
export type {
  AppendOptions,
  Draft,
  Lease,
  ListOptions,
  ProcessKnowledge,
  SessionFilter,
  SessionInfo,
  SessionRecords,
  SessionStore,
  SessionSummary,
  EndReason,
} from "./session/store/store.ts";
export type { TotalsRow } from "./session/store/store.ts";

// loop
export type { RunEnd, RunEvent } from "./loop/events.ts";
export type { CallDecision, CallInfo, Hooks } from "./loop/loop-input.ts";
export type { PrepareTurn, ToolChoice, TurnChanges, TurnInfo } from "./loop/loop-input.ts";
export type { RunContext, RunIdentity } from "./tool/run-context.ts";
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
export { maskText, stopText } from "./loop/guardrails.ts";
export type { MaskTextOptions, StopTextOptions, TextGuardrailOptions } from "./loop/guardrails.ts";
export type { CompactionOptions, CompactionPolicy, CompactionState } from "./loop/turn/compaction.ts";
export { afterTurns, calledTool, type LimitReached, type Limits, type OwnerBudget } from "./loop/limits.ts";
export type { RunProgress, StopRule } from "./loop/limits.ts";
export type { TurnProblem } from "./durable/closed-turn.ts";
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
  RunResultBase,
  RunResult,
  StoppedRun,
  StopReason,
  TruncatedRun,
  UnknownFinishRun,
} from "./loop/result.ts";
export { runSoFar, type RunSoFar } from "./loop/result.ts";
export { OutputAudio } from "./loop/output-audio.ts";
export type { CodeRun, OutputImage, RunOutputs, UrlRetrieval } from "./loop/result.ts";
export type { RunStream } from "./loop/run-stream.ts";
export type { OutputDelta, JsonPath, OutputChange } from "./loop/output/json-growth.ts";
export { outputElements, PartialOutput, partialOutputs } from "./loop/output/partial-output.ts";
export type { DeepPartial, ElementOf, ListKey, OutputElement, TypedEvents } from "./loop/output/partial-output.ts";

// grounding
export { renderMarkdown } from "./grounding/render-markdown.ts";
export { type Citation, type Grounding, type Source } from "./grounding/sources.ts";

// tool
export { approve, type Approvals, deny } from "./tool/pending-call.ts";
export type {
  Approval,
  ApprovalContext,
  Approve,
  ExternalOutcome,
  PendingCall,
  PendingQuestion,
  Withdrawal,
} from "./tool/tool.ts";
export { codeExecution, computerUse, fileSearch, googleMaps, googleSearch, urlContext } from "./tool/built-in.ts";
export { mcpServer } from "./tool/built-in.ts";
export { type ToolRetryNotice } from "./tool/call-tool.ts";
export type { ToolEffects, ToolRetryPolicy, UnknownOutcome } from "./tool/tool-settings.ts";
export type {
  AfterUntrusted,
  Reach,
  ReachContext,
  Reads,
  ReadsMark,
  ReadSource,
  ReadsWord,
  ToolReach,
  ToolReads,
  ToolTrust,
  UntrustedReason,
} from "./tool/reads.ts";
export { defineJob, type JobOptions, type JobStartContext } from "./tool/define-job.ts";
export { type JobCall, type JobContext, type JobReport, readJobCallback, type StartedJob } from "./tool/job.ts";
export { defineTool, type ToolInputSchema, type ToolOptions } from "./tool/define-tool.ts";
export { type FunctionResponseOptions, type ResponseParts } from "./tool/function-response.ts";
export { media, type MediaOptions, type MediaSource } from "./tool/media.ts";
export { explainSchema } from "./tool/schema/declare.ts";
export type {
  AnyTool,
  BuiltInName,
  BuiltInTool,
  CompletedToolCall,
  Tool,
  ToolContext,
  ToolErrorKind,
  ToolFor,
  ToolJob,
  ToolOutcome,
} from "./tool/tool.ts";

export type { CallsOf, EndingOutput, FailedToolCall, PendingToolCall, ToolCall } from "./tool/tool-call.ts";
export type { JsonOf } from "./tool/json-of.ts";

// model
export type { ModelId } from "./wire/known-models.ts";
export { gemini, type GeminiModel, type GeminiOptions } from "./model/gemini-model.ts";
export type { Media } from "./model/request/check-contents.ts";
export { type ContentInput, importHistory, type ImportHistoryOptions } from "./model/history/import-history.ts";
export { type PartInput } from "./model/history/import-history.ts";
export type { Model, ModelNotice, TokenCount } from "./model/model.ts";
export { type Cost, computeCost, googleListPrices } from "./model/usage.ts";
export type { PriceList, Prices, PriceTable, Usage } from "./model/usage.ts";
export type { ModelSettings, Thinking } from "./model/settings.ts";

// wire: names that users of agents need; the rest is behind "@pollux/core/wire"
export type { CallSignal, Timeouts } from "./wire/client-options.ts";
export { endpoint, type Endpoint, type EndpointKind, geminiApi } from "./wire/endpoints/endpoint.ts";
export { cometapi, vertex } from "./wire/endpoints/services.ts";
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
export type { ImageConfig, SafetySetting, SpeechConfig } from "./wire/types/generate-content.ts";
export type { RequestBudget, RetryPolicy } from "./wire/http/retry.ts";
export type { HttpClientName } from "./wire/http/choose-transport.ts";
export type { FetchLike } from "./wire/http/transport.ts";
export { Traffic, type TrafficOptions, type TrafficState } from "./wire/limiter/traffic.ts";

// steps: for adapters that run the loop on a durable engine
export type { GuardrailAction, Steered } from "./durable/run-log.ts";

// logging
export type { Logger, LogMethod } from "./logging/logger.ts";

// errors
export { AgentError, ConfigurationError, type ErrorCode } from "./errors/agent-error.ts";
export { ApiStatusError, type PartialResponse } from "./errors/api-errors.ts";
export { SessionRunningError, UnexpectedAnswerError } from "./errors/session-errors.ts";
export { GuardrailError, ModelRetry, ToolError } from "./errors/run-errors.ts";
