export { elicitByAsking } from "./mcp/elicit-by-asking.ts";
export type {
  McpAnswer,
  McpAskingCall,
  McpForm,
  McpLink,
  McpQuestion,
  McpQuestionContext,
  OnElicit,
} from "./mcp/elicitation.ts";
export { finishMcpAuth } from "./mcp/finish-auth.ts";
export { type McpProblem, McpServerError } from "./mcp/mcp-server-error.ts";
export { type McpTools, mcpTools, type SkippedMcpTool } from "./mcp/mcp-tools.ts";
export type { McpPrompt, McpPromptArgument } from "./mcp/prompts.ts";
export type { McpReadOptions, McpResource, McpResourceList, McpResourceTemplate } from "./mcp/resources.ts";
export type { McpAddress, McpCommand, McpToolChange, McpToolInfo, McpToolsOptions } from "./mcp/server-options.ts";
