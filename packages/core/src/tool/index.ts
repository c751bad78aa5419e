// Entry "@pollux/core/tool": for programs that build tools from other descriptions, or call tools. Names only.
export { questionToken } from "./pending-call.ts";
export { callTool, type CallControl, type ToolRetryNotice } from "./call-tool.ts";
export { type ToolRetries } from "./tool-settings.ts";
export { type SanitizedNames, sanitizeToolNames } from "./define-tool.ts";
export { functionResponse, type FunctionResponseOptions, type ResponseParts } from "./function-response.ts";
export {
  type ChildAgent,
  type ChildRunResult,
  type NestedRun,
  type ParentRun,
  type ParentStep,
  type RemainingLimits,
  type SchemaChange,
} from "./tool.ts";
export { type ShortenedToolCall } from "./tool-call.ts";
export { loadOptional, missingPackages, type OptionalUse } from "../internal/load-optional.ts";
