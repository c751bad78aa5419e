export { McpServerError } from "./mcp/mcp-server-error.ts";
export { type McpTools, mcpTools, type SkippedMcpTool } from "./mcp/mcp-tools.ts";
export type { McpAddress, McpCommand, McpToolChange, McpToolInfo, McpToolsOptions } from "./mcp/server-options.ts";
