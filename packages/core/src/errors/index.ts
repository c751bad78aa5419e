// Entry "@pollux/core/errors": every error, with its code. Names only.
export { AgentError, ConfigurationError, type ErrorCode } from "./agent-error.ts";
export {
  ApiNetworkError,
  ApiShapeError,
  ApiStatusError,
  ApiTimeoutError,
  RequestLimitError,
  type PartialResponse,
  type QuotaViolation,
  ResponseBlockedError,
  StreamIncompleteError,
  type TimeoutKind,
  FileStateError,
  QuotaReachedError,
  TrafficLimitError,
} from "./api-errors.ts";
export {
  NothingToResumeError,
  RewindTargetError,
  RunIdTakenError,
  RunReleasedError,
  RunStoppedError,
  SessionLeaseLostError,
  SessionLimitError,
  SessionRunningError,
  UnexpectedAnswerError,
} from "./session-errors.ts";
export {
  GuardrailError,
  InvalidApprovalError,
  OutputMissingError,
  RunAbandonedError,
  RunStepError,
  LoopVersionError,
  ReplayDifferenceError,
  SessionConflictError,
  SessionDamagedError,
  SessionStoreError,
  SessionUnfinishedError,
  ToolDefinitionError,
  ToolError,
  ModelRetry,
} from "./run-errors.ts";
