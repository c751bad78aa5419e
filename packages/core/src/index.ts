// agent
export { Agent } from "./agent/agent.ts";
export type {
  AgentOptions,
  OutputOf,
  OutputSchema,
  RunOptions,
  SharedOptions,
  TypedRunOptions,
} from "./agent/agent-options.ts";
export type { AgentProgress, AgentToolOptions } from "./agent/agent-tool.ts";
export { Chat, type ChatOptions } from "./agent/chat.ts";
export { finished } from "./agent/output.ts";
export type { RunInput } from "./agent/run-input.ts";

// loop
export type { RunEvent } from "./loop/events.ts";
export type { CallDecision, CallInfo, Hooks, RequestInfo } from "./loop/hooks.ts";
export type { Limits } from "./loop/limits.ts";
export type { ToolChoice } from "./loop/loop-input.ts";
export type { TurnProblem } from "./loop/recover.ts";
export type {
  BadCallRun,
  BlockedRun,
  EmptyRun,
  FinishedRun,
  InvalidOutputRun,
  LimitedRun,
  LimitReached,
  RepeatedCallsRun,
  RunOutcome,
  RunResult,
  StoppedRun,
  StopReason,
  TruncatedRun,
  UnknownFinishRun,
} from "./loop/result.ts";
export { runSoFar, type RunSoFar } from "./loop/run-so-far.ts";
export type { RunStream } from "./loop/run-stream.ts";
export { afterTurns, calledTool, type RunProgress, type StopRule } from "./loop/stop-when.ts";

// grounding
export { renderMarkdown } from "./grounding/render-markdown.ts";
export type { Citation, Grounding, Source } from "./grounding/sources.ts";

// tool
export { codeExecution, computerUse, fileSearch, googleMaps, googleSearch, urlContext } from "./tool/built-in.ts";
export { defineTool } from "./tool/define-tool.ts";
export { explainSchema } from "./tool/explain-schema.ts";
export { media, type MediaResult } from "./tool/media.ts";
export type { AnyTool, BuiltInName, BuiltInTool, NestedRun, SchemaChange, Tool, ToolContext } from "./tool/tool.ts";
export type { ToolFailureKind, ToolOutcome } from "./tool/tool-outcome.ts";

// model
export { capabilitiesOf, type ModelCapabilities } from "./model/capabilities.ts";
export { gemini, type GeminiModel, type GeminiOptions } from "./model/gemini-model.ts";
export type { Model, ModelNotice, ModelRequest, ModelResponse, RespondOptions } from "./model/model.ts";
export type { ModelSettings, Thinking } from "./model/settings.ts";
export type { Usage } from "./model/usage.ts";

// wire: what an agent's user meets; the rest is behind "@pollux/core/wire"
export { cometapi } from "./wire/cometapi.ts";
export { endpoint, type Endpoint, google } from "./wire/endpoint.ts";
export { vertex } from "./wire/vertex.ts";
export type { Blob, Content, FunctionCall, FunctionResponse, JsonObject, Part, Role } from "./wire/content.ts";
export type { FetchLike } from "./wire/http.ts";
export type { Timeouts } from "./wire/watchdog.ts";
export type { RetryPolicy } from "./wire/retry.ts";

// steps: for those who run the loop on a durable engine
export type { Op, Outcome, Step, Steps } from "./durable/steps.ts";

// logging
export type { Logger, LogMethod } from "./logging/logger.ts";

// errors
export { AgentError, type ErrorCode } from "./errors/agent-error.ts";
export {
  ApiNetworkError,
  ApiShapeError,
  ApiStatusError,
  ApiTimeoutError,
  type QuotaViolation,
  ResponseBlockedError,
  StreamIncompleteError,
  type TimeoutKind,
} from "./errors/api-errors.ts";
export { ConfigurationError } from "./errors/configuration-error.ts";
export { OutputMissingError, RunAbandonedError, RunStepError } from "./errors/run-errors.ts";
export { ToolDefinitionError, ToolFailure, ToolRetry } from "./errors/tool-errors.ts";
