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
} from "./content.ts";
export type { FunctionCallingMode, FunctionDeclaration, JsonSchema, ToolConfig, WireTool } from "./declaration.ts";
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
} from "./generate-content.ts";
export type {
  CitationMetadata,
  CitationSource,
  LogprobsCandidate,
  LogprobsResult,
  SafetyRating,
} from "./candidate-metadata.ts";
export type {
  CachedContent,
  CacheExpiry,
  CreateCachedContentRequest,
  ListCachedContentsResponse,
} from "./cached-contents.ts";
export type { GeminiFile, ListFilesResponse } from "./file.ts";
export type {
  HarmBlockThreshold,
  HarmCategory,
  ImageConfig,
  MediaResolution,
  Modality,
  SpeechConfig,
  VoiceConfig,
} from "./setting-types.ts";
export type { CountTokensRequest, CountTokensResponse, ListModelsResponse, ModelInfo } from "./models.ts";

// Endpoints
export { cometapi, type CometApiOptions } from "./cometapi.ts";
export { defaultEndpoint } from "./default-endpoint.ts";
export {
  type AuthScheme,
  type Endpoint,
  endpoint,
  type EndpointKind,
  type EndpointOptions,
  google,
  type GoogleOptions,
  type HeaderFields,
} from "./endpoint.ts";
export { vertex, type VertexOptions } from "./vertex.ts";
export type { Environment } from "../internal/environment.ts";

// Client
export { GeminiClient } from "./client.ts";
export type { CallOptions, GeminiClientOptions } from "./client-options.ts";
export { CachedContents } from "./caches.ts";
export { FilesClient, type UploadOptions } from "./files.ts";
export type { UploadProgress } from "./upload.ts";
export { waitForFile, type WaitForFileOptions } from "./wait-for-file.ts";
export { RequestEncoder } from "./encode-request.ts";
export type { FetchLike } from "./sending.ts";
export { DEFAULT_RETRY, type RetryNotice, type RetryPolicy } from "./retry.ts";
export { Traffic, type TrafficOptions, type TrafficState } from "./traffic.ts";
export type { WaitNotice } from "./waiter.ts";
export { DEFAULT_TIMEOUTS, type Timeouts } from "./watchdog.ts";

// Reading answers
export { checkAnswer, parseAnswers, type ParsedAnswer } from "./parse.ts";
export { readSse, SseDecoder, type SseOptions } from "./sse.ts";
export { embeddedError, type FailureContext, statusError } from "./status-error.ts";

// Errors
export { AgentError, type ErrorCode } from "../errors/agent-error.ts";
export {
  ApiNetworkError,
  ApiShapeError,
  ApiStatusError,
  type ApiStatusFacts,
  ApiTimeoutError,
  type QuotaViolation,
  type TimeoutKind,
} from "../errors/api-errors.ts";
export { FileStateError } from "../errors/file-errors.ts";
export { TrafficLimitError } from "../errors/traffic-error.ts";
export { ConfigurationError } from "../errors/configuration-error.ts";

// Taking secrets out of texts
export { redact, redactCut, redactPieces, secretsOf } from "./redact.ts";

// Logging
export { defaultLogger } from "../logging/default-logger.ts";
export { type Logger, type LogMethod, SILENT } from "../logging/logger.ts";
