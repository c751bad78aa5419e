// Wire types
export type {
  Blob,
  CodeExecutionResult,
  Content,
  ExecutableCode,
  FileData,
  FunctionCall,
  FunctionResponse,
  FunctionResponsePart,
  JsonObject,
  Part,
  PartialArg,
  Role,
  ServerToolCall,
  ServerToolResponse,
} from "./types/content.ts";
export type {
  FunctionCallingMode,
  FunctionDeclaration,
  JsonSchema,
  ToolConfig,
  WireTool,
} from "./types/declaration.ts";
export type {
  Candidate,
  GenerateContentRequest,
  GenerateContentResponse,
  GenerationConfig,
  GroundingChunk,
  GroundingMetadata,
  GroundingSupport,
  ModalityTokenCount,
  PromptFeedback,
  SafetySetting,
  SystemInstruction,
  ThinkingConfig,
  UrlContextMetadata,
  UsageMetadata,
} from "./types/generate-content.ts";
export type {
  CitationMetadata,
  CitationSource,
  LogprobsCandidate,
  LogprobsResult,
  SafetyRating,
} from "./types/generate-content.ts";
export type {
  CachedContent,
  CacheExpiry,
  CreateCachedContentRequest,
  ListCachedContentsResponse,
} from "./types/resources.ts";
export type { GeminiFile, ListFilesResponse } from "./types/resources.ts";
export type {
  HarmBlockThreshold,
  HarmCategory,
  ImageConfig,
  MediaResolution,
  Modality,
  SpeechConfig,
  VoiceConfig,
} from "./types/generate-content.ts";
export type { CountTokensRequest, CountTokensResponse, ListModelsResponse, ModelInfo } from "./types/resources.ts";

// Endpoints
export { cometapi, type CometApiOptions } from "./endpoints/cometapi.ts";
export { defaultEndpoint } from "./endpoints/default-endpoint.ts";
export {
  type AuthScheme,
  type Endpoint,
  endpoint,
  type EndpointKind,
  type EndpointOptions,
  google,
  type GoogleOptions,
  type HeaderFields,
} from "./endpoints/endpoint.ts";
export { vertex, type VertexOptions } from "./endpoints/vertex.ts";
export type { Environment } from "../internal/environment.ts";

// Client
export { GeminiClient } from "./client.ts";
export type { CallOptions, CallSignal, GeminiClientOptions } from "./client-options.ts";
export { CachedContents } from "./caches.ts";
export { FilesClient, type UploadOptions } from "./files.ts";
export type { UploadProgress } from "./upload.ts";
export { waitForFile, type WaitForFileOptions } from "./files.ts";
export { RequestEncoder } from "./http/encode-request.ts";
export type { HttpClientName } from "./http/choose-transport.ts";
export type { FetchLike } from "./http/transport.ts";
export { DEFAULT_RETRY, RequestBudget, type RetryNotice, type RetryPolicy } from "./http/retry.ts";
export { Traffic, type TrafficOptions, type TrafficState } from "./limiter/traffic.ts";
export type { WaitNotice } from "./limiter/endpoint-limiter.ts";
export { DEFAULT_TIMEOUTS, type Timeouts } from "./http/timeouts.ts";

// Reading answers
export { checkAnswer, parseAnswers, type ParsedAnswer } from "./http/read-answers.ts";
export { readSse, SseDecoder, type SseOptions } from "./http/sse.ts";
export { embeddedError, type FailureContext, statusError } from "./errors/status-error.ts";

// Errors
export { AgentError, type ErrorCode } from "../errors/agent-error.ts";
export {
  ApiNetworkError,
  ApiShapeError,
  ApiStatusError,
  type ApiStatusFacts,
  ApiTimeoutError,
  type QuotaViolation,
  RequestLimitError,
  type TimeoutKind,
} from "../errors/api-errors.ts";
export { FileStateError } from "../errors/api-errors.ts";
export { TrafficLimitError } from "../errors/api-errors.ts";
export { ConfigurationError } from "../errors/agent-error.ts";

// Taking secrets out of texts
export { redact, redactCut, redactPieces, secretsOf } from "./errors/redact.ts";

// Logging
export { defaultLogger } from "../logging/logger.ts";
export { type Logger, type LogMethod, SILENT } from "../logging/logger.ts";
