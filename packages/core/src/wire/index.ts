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
  CitationMetadata,
  CitationSource,
  GenerateContentRequest,
  GenerateContentResponse,
  GenerationConfig,
  GroundingChunk,
  GroundingMetadata,
  GroundingSupport,
  HarmBlockThreshold,
  HarmCategory,
  ImageConfig,
  LogprobsCandidate,
  LogprobsResult,
  MediaResolution,
  Modality,
  ModalityTokenCount,
  PromptFeedback,
  SafetyRating,
  SafetySetting,
  SpeechConfig,
  SystemInstruction,
  ThinkingConfig,
  UrlContextMetadata,
  UsageMetadata,
  VoiceConfig,
} from "./types/generate-content.ts";
export type {
  CachedContent,
  CacheExpiry,
  CountTokensRequest,
  CountTokensResponse,
  CreateCachedContentRequest,
  GeminiFile,
  ListCachedContentsResponse,
  ListFilesResponse,
  ListModelsResponse,
  ModelInfo,
  BatchEmbedContentsResponse,
  ContentEmbedding,
  EmbedContentRequest,
  EmbedContentResponse,
  PredictEmbeddingsRequest,
  PredictEmbeddingsResponse,
} from "./types/resources.ts";

// Endpoints
export {
  type AuthScheme,
  type Endpoint,
  endpoint,
  type EndpointKind,
  type EndpointOptions,
  geminiApi,
  type GoogleOptions,
  type HeaderFields,
} from "./endpoints/endpoint.ts";
export { cometapi, type CometApiOptions, defaultEndpoint, vertex, type VertexOptions } from "./endpoints/services.ts";
export type { Environment } from "../internal/environment.ts";

// Models
export { findKnownModel, type ModelFacts, type ModelId, OFFICE_TYPE } from "./known-models.ts";

// Client
export { GeminiClient } from "./client.ts";
export type { CallOptions, CallSignal, GeminiClientOptions } from "./client-options.ts";
export { DEFAULT_TIMEOUTS, type Timeouts } from "./client-options.ts";

// For clients of other operations: the same keys, retries, limits and errors
export { ApiClient, encodeJson, type PageRequest, readPages } from "./client.ts";
export { CLIENT_OPTIONS, CLIENT_SPELLINGS } from "./client-options.ts";
export type { ApiCall, Attempt, Exchange } from "./http/exchange.ts";
export { checkOptions, namesIn, type OptionNames } from "../internal/option-names.ts";
export { sleep } from "../internal/abort.ts";
export { upload, type UploadProgress, type UploadSource } from "./upload.ts";
export { RequestEncoder } from "./http/encode-request.ts";
export type { HttpClientName } from "./http/choose-transport.ts";
export { type FetchLike, NEEDS_NO_KEY } from "./http/transport.ts";
export { DEFAULT_RETRY, RequestBudget, type RetryNotice, type RetryPolicy } from "./http/retry.ts";
export { Traffic, type TrafficOptions, type TrafficState } from "./limiter/traffic.ts";
export type { WaitNotice } from "./limiter/rate-gate.ts";

// Reading answers
export { checkAnswer, parseAnswers, type ParsedAnswer, parseJson } from "./http/read-answers.ts";
export { SseDecoder, type SseOptions } from "./http/sse.ts";
export { embeddedError, type FailureContext, statusError } from "./errors/http-errors.ts";

// Errors
export { AgentError, ConfigurationError, type ErrorCode } from "../errors/agent-error.ts";
export {
  ApiNetworkError,
  ApiShapeError,
  ApiStatusError,
  type ApiStatusFacts,
  ApiTimeoutError,
  FileStateError,
  type QuotaViolation,
  RequestLimitError,
  type TimeoutKind,
  TrafficLimitError,
} from "../errors/api-errors.ts";

// Taking secrets out of texts that are shown or stored
export { findSecrets } from "./secrets/header-secrets.ts";
export { redact, redactBytes, type RedactOptions, redactPieces, redactValue } from "./secrets/redact.ts";

// Logging
export { defaultLogger, type Logger, type LogMethod, SILENT } from "../logging/logger.ts";
